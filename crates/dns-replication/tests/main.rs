//! The clients against servers that do not mean well, and against very many.

mod adversary;
mod liar;
mod many;
mod update;
