//! Whole IP packets from fragments, and byte streams from TCP segments.
