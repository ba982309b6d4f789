//! The operator `%`: the engine knows it for numbers, Python for texts as well (`"%s: %d" % (name, count)`).
//!
//! `operators` makes a call of it.

use minijinja::value::{Kwargs, ObjectRepr, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::text::text_of;

/// The global function that the operator becomes. No template would use such a name.
pub const NAME: &str = "__percent";

fn invalid(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, what.into())
}

/// `left % right`: the remainder of numbers, or the text `left` with `right` in its places.
///
/// # Errors
///
/// The operands are of other types, the divisor is zero, or values and places do not match.
pub fn percent(state: &mut State, left: &Value, right: &Value) -> Result<Value, Error> {
    if let Some(format) = left.as_str() {
        return apply(state, left, format, right);
    }
    let number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if !(number(left) && number(right)) {
        return Err(invalid(format!("unsupported operand types for %: {} and {}", left.kind(), right.kind())));
    }
    let zero = || invalid("division by zero");
    if let (Ok(a), Ok(b)) = (integer(left), integer(right)) {
        // Overflow (the smallest number by -1) has no remainder either.
        let rest = if b == 0 { return Err(zero()) } else { a.checked_rem(b).unwrap_or(0) };
        let rest = if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest };
        return Ok(i64::try_from(rest).map_or_else(|_| Value::from(rest), Value::from));
    }
    let (a, b) = (f64::try_from(left.clone())?, f64::try_from(right.clone())?);
    if b == 0.0 {
        return Err(zero());
    }
    let rest = a % b;
    Ok(Value::from(if rest == 0.0 {
        0f64.copysign(b)
    } else if (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }))
}

fn integer(value: &Value) -> Result<i128, Error> {
    match value.kind() {
        ValueKind::Bool => Ok(value.is_true().into()),
        _ if value.is_integer() => i128::try_from(value.clone()),
        _ => Err(invalid("not an integer")),
    }
}

/// `format % right`. A tuple fills the places one by one, a mapping by name, anything else is the only value.
fn apply(state: &mut State, left: &Value, format: &str, right: &Value) -> Result<Value, Error> {
    let places = places(format)?;
    let is_mapping = right.as_object().is_some_and(|object| object.repr() == ObjectRepr::Map);
    if places.iter().any(|place| place.named) {
        if !is_mapping {
            return Err(invalid("%: a format with names requires a mapping"));
        }
        let object = right.as_object().and_then(|object| object.try_iter_pairs()).into_iter().flatten();
        let pairs = object.map(|(key, value)| (key.to_string(), value)).collect::<Vec<_>>();
        let printed =
            pairs.into_iter().map(|(key, value)| Ok((key, printable(value)?))).collect::<Result<Vec<_>, Error>>();
        let named: Kwargs = printed?.into_iter().collect();
        return state.apply_filter("format", &[left.clone(), Value::from(named)]);
    }
    let values = if right.is_tuple() { right.try_iter()?.collect() } else { vec![right.clone()] };
    let wanted: usize = places.len();
    if values.len() < wanted {
        return Err(invalid(format!("%: {} values for {wanted} places", values.len())));
    }
    // Python lets a mapping that no place asks for pass.
    if values.len() > wanted && (right.is_tuple() || !is_mapping) {
        return Err(invalid("%: not all values have a place"));
    }
    let mut args = vec![left.clone()];
    for (value, place) in values.into_iter().zip(&places) {
        args.push(match place.kind {
            b's' => printable(value)?,
            // Python cuts floats here.
            b'd' | b'i' | b'u' if value.kind() == ValueKind::Number && !value.is_integer() => {
                let number = f64::try_from(value)?.trunc();
                let fits = number.abs() < 1e18;
                Value::from(fits.then_some(number as i64).ok_or_else(|| invalid("%: too large for `%d`"))?)
            }
            _ => value,
        });
    }
    state.apply_filter("format", &args)
}

/// A value as it is to be printed: lists and mappings as Python writes them.
fn printable(value: Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Number | ValueKind::Bool | ValueKind::String => Ok(value),
        _ => text_of(&value).map(Value::from),
    }
}

/// A place for a value in a format.
struct Place {
    named: bool,
    /// The letter of its type.
    kind: u8,
}

/// The places of a format.
fn places(format: &str) -> Result<Vec<Place>, Error> {
    let mut places = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        let named = rest.starts_with('(');
        if named {
            rest = rest.split_once(')').ok_or_else(|| invalid("%: a name without its closing bracket"))?.1;
        }
        let conversion = rest.find(|c: char| !"#0- +.123456789hlL".contains(c));
        let conversion = conversion.ok_or_else(|| invalid("%: a place without its type"))?;
        match rest.as_bytes()[conversion] {
            b'%' if conversion == 0 && !named => {}
            b'*' => return Err(invalid("%: a width from the values (`*`) is not supported")),
            b'r' | b'a' => return Err(invalid("%: `%r` and `%a` are not supported")),
            kind => places.push(Place { named, kind }),
        }
        rest = rest.get(conversion + 1..).unwrap_or_default();
    }
    Ok(places)
}
