//! Capture file formats: pcap and pcapng, framed out of bytes that somebody else reads.
