//! What decides everything that a test leaves to chance.

/// The seed of this run: printed, and taken from the environment to see a run again.
pub fn draw() -> u64 {
    let given = std::env::var("LANGNGHE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    eprintln!("LANGNGHE_SEED={seed}");
    seed
}
