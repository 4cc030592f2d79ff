//! The reference code that a citizen keeps: read from a screen, written on paper, told by telephone.
//!
//! Ten characters in two groups, `4K7CD-9XTRK`. The last one checks the other nine.
//!
//! **The alphabet** has 23 characters, a prime number, which is what lets one check character catch
//! what people do wrong. It leaves out
//! - `0 O Q`, `1 I L J`, `2 Z`, `5 S`, `8 B`: they look alike, so one of each pair, or neither, stays;
//! - the vowels, `A E U` as well, so that no code spells a word;
//! - `B` again, which sounds like `P` and `D` by telephone, and `S`, which sounds like `X`.
//!
//! Some pairs that sound alike had to stay (`M N`, `D T P`); the check character catches them.
//!
//! **The check.** With the characters as numbers 0 to 22, the sum of each times its place (1 to 10)
//! is divisible by 23, as in an ISBN. Every single wrong character, every swap of any two and every
//! doubled pair mistaken for another doubled pair breaks it.
//!
//! **Guessing.** Nine free characters are 23⁹ ≈ 1.8 × 10¹² codes, 40.7 bits. With a million tickets
//! made, one well-formed guess in 1.8 million hits one of them; whoever takes codes from strangers
//! also limits how many they may try.

use std::fmt;

use langnghe_model::fold::fold;

/// What codes are written in, in the order of their numbers.
const ALPHABET: &[u8; 23] = b"23456789CDFGHKMNPRTVWXY";
const MODULUS: usize = ALPHABET.len();
const LENGTH: usize = 10;
const GROUP: usize = LENGTH / 2;

/// More than anyone types for a code.
const LONGEST_TYPED: usize = 100;

/// A code whose check character is right. Shown as `XXXXX-XXXXX`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(String);

impl Code {
    /// The code as it is shown and kept: `XXXXX-XXXXX`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// From the numbers of its characters, whose check is right.
    fn from_numbers(numbers: [usize; LENGTH]) -> Self {
        let mut text = String::with_capacity(LENGTH + 1);
        for (place, number) in numbers.into_iter().enumerate() {
            if place == GROUP {
                text.push('-');
            }
            text.push(char::from(ALPHABET[number]));
        }
        Self(text)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Code({})", self.0)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

/// Makes a code from 64 bits of a generator whose output cannot be predicted. Every code is as likely
/// as any other to one part in ten million.
pub fn from_random(random: u64) -> Code {
    let mut rest = random;
    let mut numbers = [0; LENGTH];
    for number in &mut numbers[..LENGTH - 1] {
        *number = usize::try_from(rest % 23).expect("a remainder of 23 fits");
        rest /= 23;
    }
    numbers[LENGTH - 1] = check_number(&numbers);
    Code::from_numbers(numbers)
}

/// Reads a code as people type it: any case, full width, with or without dash, with spaces or dots
/// anywhere. `B`, `S` and `Z`, which are in no code, are taken for the `8`, `5` and `2` that they look
/// like. `None` when it is no code or its check character is wrong.
pub fn normalise(typed: &str) -> Option<Code> {
    if typed.len() > LONGEST_TYPED {
        return None;
    }
    let folded = fold(typed).to_ascii_uppercase();
    let mut numbers = [0; LENGTH];
    let mut length = 0;
    for character in folded.chars().filter(|character| !is_separator(*character)) {
        *numbers.get_mut(length)? = number(character)?;
        length += 1;
    }
    let whole = length == LENGTH && weighted_sum(&numbers).is_multiple_of(MODULUS);
    whole.then(|| Code::from_numbers(numbers))
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '-' | '_' | '.' | ',' | '/' | '·' | '#')
}

fn number(character: char) -> Option<usize> {
    let meant = match character {
        'B' => '8',
        'S' => '5',
        'Z' => '2',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|letter| char::from(*letter) == meant)
}

/// Each number times its place, 1 to 10, added up.
fn weighted_sum(numbers: &[usize; LENGTH]) -> usize {
    numbers
        .iter()
        .zip(1..)
        .map(|(number, place)| number * place)
        .sum()
}

/// What the last number must be, when it is zero now.
fn check_number(numbers: &[usize; LENGTH]) -> usize {
    // 10 × check ≡ -sum, and 10 × 7 = 70 ≡ 1 (mod 23).
    let missing = MODULUS - weighted_sum(numbers) % MODULUS;
    missing * 7 % MODULUS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn characters(code: &Code) -> Vec<char> {
        code.as_str()
            .chars()
            .filter(|character| *character != '-')
            .collect()
    }

    fn text(characters: &[char]) -> String {
        characters.iter().collect()
    }

    #[test]
    fn codes_are_two_groups_of_letters_that_cannot_be_mistaken() {
        let code = from_random(0x0123_4567_89ab_cdef);
        assert_eq!(code.as_str().len(), 11);
        assert_eq!(code.as_str().as_bytes()[5], b'-');
        for letter in b"01OILJQBSZAEU" {
            assert!(!ALPHABET.contains(letter));
        }
        assert_eq!(from_random(0).as_str(), "22222-22222");
        assert_eq!(
            normalise(from_random(u64::MAX).as_str()),
            Some(from_random(u64::MAX))
        );
    }

    #[test]
    fn people_type_codes_in_many_ways() {
        let code = from_random(987_654_321_012_345_678);
        let letters = text(&characters(&code));
        let (one, two) = letters.split_at(5);
        let full_width: String = letters
            .chars()
            .map(|letter| char::from_u32(u32::from(letter) - 0x21 + 0xff01).expect("full width"))
            .collect();
        let spaced: String = letters.chars().flat_map(|letter| [letter, ' ']).collect();
        for typed in [
            code.to_string(),
            letters.clone(),
            letters.to_lowercase(),
            format!("  {one} – {two}\n"),
            format!("#{one}.{two}"),
            format!("{one}\u{200b}—{two}"),
            full_width,
            spaced,
        ] {
            assert_eq!(normalise(&typed).as_ref(), Some(&code), "{typed:?}");
        }
        for not_a_code in [
            "",
            "-",
            "xin chào",
            one,
            &format!("{letters}2"),
            &"2".repeat(5000),
        ] {
            assert_eq!(normalise(not_a_code), None, "{not_a_code:?}");
        }
        // Written by hand, an 8 is a B, a 5 an S and a 2 a Z.
        assert_eq!(normalise("zzzzz-zzzzz"), Some(from_random(0)));
    }

    /// The sum is linear, so it is enough that no error changes it by a multiple of 23, whatever the
    /// rest of the code is. All errors are tried.
    #[test]
    fn no_single_error_swap_or_twin_error_passes_in_any_code() {
        for place in 1..=LENGTH {
            for (wrong, right) in pairs() {
                assert_ne!(
                    place * (MODULUS + wrong - right) % MODULUS,
                    0,
                    "one character"
                );
                for other in place + 1..=LENGTH {
                    let change =
                        place * (MODULUS + wrong - right) + other * (MODULUS + right - wrong);
                    assert_ne!(change % MODULUS, 0, "a swap of places {place} and {other}");
                }
                if place < LENGTH {
                    let change = (place + place + 1) * (MODULUS + wrong - right);
                    assert_ne!(change % MODULUS, 0, "twins at place {place}");
                }
            }
        }
    }

    fn pairs() -> impl Iterator<Item = (usize, usize)> {
        (0..MODULUS)
            .flat_map(|wrong| (0..MODULUS).map(move |right| (wrong, right)))
            .filter(|(wrong, right)| wrong != right)
    }

    proptest! {
        /// The same through the front door: every wrong character and every swap of neighbours.
        #[test]
        fn slips_of_the_finger_are_caught(random: u64) {
            let code = from_random(random);
            let right = characters(&code);
            prop_assert_eq!(normalise(&text(&right)), Some(code.clone()));
            for place in 0..LENGTH {
                for letter in ALPHABET.iter().map(|letter| char::from(*letter)) {
                    let mut wrong = right.clone();
                    wrong[place] = letter;
                    prop_assert_eq!(normalise(&text(&wrong)).is_some(), wrong == right);
                }
                if place + 1 < LENGTH {
                    let mut swapped = right.clone();
                    swapped.swap(place, place + 1);
                    prop_assert_eq!(normalise(&text(&swapped)).is_some(), swapped == right);
                }
            }
        }

        #[test]
        fn no_text_breaks_reading(typed: String) {
            if let Some(code) = normalise(&typed) {
                prop_assert_eq!(normalise(code.as_str()), Some(code));
            }
        }
    }
}
