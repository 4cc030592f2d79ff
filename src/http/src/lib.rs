//! The guarded HTTP client: time-outs, bounded bodies, no redirects, private addresses refused unless allowed.
