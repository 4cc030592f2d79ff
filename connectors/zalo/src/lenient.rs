//! Reads what Zalo writes sometimes as text and sometimes as a number.

use langnghe_model::Timestamp;
use serde_json::Value;

/// A text, or a number's digits; `None` for anything else and for an empty text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, written as such or in digits.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number that is never negative.
pub(crate) fn natural(value: &Value) -> Option<u64> {
    u64::try_from(integer(value)?).ok()
}

/// A finite number, written as such or in digits.
pub(crate) fn decimal(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A moment in milliseconds; what is too small for that is seconds (the documentation's samples).
pub(crate) fn moment(value: &Value) -> Option<Timestamp> {
    const LEAST_MILLISECONDS: i64 = 1_000_000_000_000;
    let number = integer(value).filter(|number| *number > 0)?;
    Some(if number < LEAST_MILLISECONDS {
        Timestamp::from_seconds(number)
    } else {
        Timestamp::from_milliseconds(number)
    })
}
