//! Exact numbers within bounds, and how they are written.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive as _, One as _, Pow as _, Signed as _, ToPrimitive as _, Zero as _};
use serde_json::Value;

use super::Mistake;

/// Most bits of a numerator and of a denominator; beyond, a value is rounded.
const BITS: u64 = 4096;
/// Most decimal places, and most digits, of a number that is written whole.
const PLACES: u32 = 30;
const DIGITS: usize = 100;
/// Significant digits of a rounded number: as many as a double keeps for certain.
const SIGNIFICANT: i64 = 15;
/// Largest power of ten of a number that is read.
const EXPONENT: i32 = 1000;

/// A fraction, and whether it stands for a value near it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    value: BigRational,
    rounded: bool,
}

fn out_of_range() -> Mistake {
    Mistake::new("the result is too large or too small").help("compute with smaller numbers or exponents")
}

fn not_real(what: &str) -> Mistake {
    Mistake::new(format!("{what} is no real number")).help("check the sign of the value")
}

pub(super) fn by_zero() -> Mistake {
    Mistake::new("division by zero").help("make sure that the divisor is not 0, such as with `max(x, 1)`")
}

impl Number {
    /// A number as it is written: `12`, `1_000`, `.5`, `1.5e-3`.
    pub(super) fn read(text: &str) -> Result<Self, Mistake> {
        let text = text.replace('_', "").to_lowercase();
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
        let unreadable =
            || Mistake::new(format!("`{text}` is not a number")).help("write it like `1500`, `0.5` or `1.5e3`");
        let mantissa: BigInt = format!("{whole}{places}").parse().map_err(|_| unreadable())?;
        let exponent: i32 = exponent.parse().map_err(|_| out_of_range())?;
        let exponent = exponent.saturating_sub(i32::try_from(places.len()).unwrap_or(i32::MAX));
        if exponent.abs() > EXPONENT {
            return Err(out_of_range());
        }
        let ten = BigRational::from_integer(BigInt::from(10)).pow(exponent);
        Self::new(BigRational::from_integer(mantissa) * ten, false)
    }

    fn new(value: BigRational, rounded: bool) -> Result<Self, Mistake> {
        if value.numer().bits() <= BITS && value.denom().bits() <= BITS {
            return Ok(Self { value, rounded });
        }
        Self::near(value.to_f64().unwrap_or(f64::NAN))
    }

    /// The number that a double stands for, which is as good as its digits.
    fn near(value: f64) -> Result<Self, Mistake> {
        let value = Some(value).filter(|value| value.is_normal()).and_then(BigRational::from_f64);
        value.map(|value| Self { value, rounded: true }).ok_or_else(out_of_range)
    }

    fn both(self, other: Self, compute: impl FnOnce(BigRational, BigRational) -> BigRational) -> Result<Self, Mistake> {
        Self::new(compute(self.value, other.value), self.rounded || other.rounded)
    }

    pub(super) fn plus(self, other: Self) -> Result<Self, Mistake> {
        self.both(other, |a, b| a + b)
    }

    pub(super) fn minus(self, other: Self) -> Result<Self, Mistake> {
        self.both(other, |a, b| a - b)
    }

    pub(super) fn times(self, other: Self) -> Result<Self, Mistake> {
        self.both(other, |a, b| a * b)
    }

    pub(super) fn divided_by(self, other: Self) -> Result<Self, Mistake> {
        if other.value.is_zero() { Err(by_zero()) } else { self.both(other, |a, b| a / b) }
    }

    /// The remainder, with the sign of the dividend as in SQL.
    pub(super) fn remainder(self, other: Self) -> Result<Self, Mistake> {
        if other.value.is_zero() { Err(by_zero()) } else { self.both(other, |a, b| a % b) }
    }

    pub(super) fn negated(self) -> Self {
        Self { value: -self.value, ..self }
    }

    pub(super) fn percent(self) -> Result<Self, Mistake> {
        Self::new(self.value / BigInt::from(100), self.rounded)
    }

    /// `self ^ exponent`: exact for whole exponents and squares within bounds.
    pub(super) fn power(self, exponent: Self) -> Result<Self, Mistake> {
        if self.value.is_zero() && exponent.value.is_negative() {
            return Err(by_zero());
        }
        if self.value.is_zero() || self.value.is_one() {
            let one = exponent.value.is_zero() || self.value.is_one();
            let value = if one { BigRational::one() } else { BigRational::zero() };
            return Self::new(value, self.rounded || exponent.rounded);
        }
        let whole = exponent.value.is_integer().then(|| exponent.value.to_i32()).flatten();
        let bits = self.value.numer().bits().max(self.value.denom().bits());
        match whole {
            Some(times) if bits.saturating_mul(times.unsigned_abs().into()) <= BITS => {
                Self::new(self.value.pow(times), self.rounded || exponent.rounded)
            }
            _ if exponent.value == BigRational::new(BigInt::one(), BigInt::from(2)) => self.square_root(),
            _ => {
                if self.value.is_negative() && !exponent.value.is_integer() {
                    return Err(not_real("a root of a negative number"));
                }
                Self::near(self.double()?.powf(exponent.double()?))
            }
        }
    }

    pub(super) fn square_root(self) -> Result<Self, Mistake> {
        if self.value.is_negative() {
            return Err(not_real("a root of a negative number"));
        }
        let root = BigRational::new(self.value.numer().sqrt(), self.value.denom().sqrt());
        if &root * &root == self.value {
            return Self::new(root, self.rounded);
        }
        Self::near(self.double()?.sqrt())
    }

    pub(super) fn exponential(self) -> Result<Self, Mistake> {
        Self::near(self.double()?.exp())
    }

    /// One of the logarithms.
    pub(super) fn logarithm(self, of: fn(f64) -> f64) -> Result<Self, Mistake> {
        if !self.value.is_positive() {
            return Err(not_real("the logarithm of a number that is not above 0"));
        }
        match of(self.double()?) {
            0.0 => Self::new(BigRational::zero(), true),
            logarithm => Self::near(logarithm),
        }
    }

    pub(super) fn absolute(self) -> Self {
        Self { value: self.value.abs(), ..self }
    }

    pub(super) fn floor(self) -> Self {
        Self { value: self.value.floor(), ..self }
    }

    pub(super) fn ceiling(self) -> Self {
        Self { value: self.value.ceil(), ..self }
    }

    /// Rounded to a number of decimal places, halves away from zero.
    pub(super) fn round(self, places: &Self) -> Result<Self, Mistake> {
        let most = PLACES as i32;
        let whole = places.value.is_integer().then(|| places.value.to_i32()).flatten();
        let Some(places) = whole.filter(|places| places.abs() <= most) else {
            return Err(Mistake::new(format!("`round` takes a whole number of places, from -{most} to {most}"))
                .help("such as `round(x, 2)`"));
        };
        let scale = BigRational::from_integer(BigInt::from(10)).pow(places);
        Self::new((self.value * &scale).round() / scale, self.rounded)
    }

    pub(super) fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.value.cmp(&other.value)
    }

    fn double(&self) -> Result<f64, Mistake> {
        self.value.to_f64().filter(|value| value.is_finite()).ok_or_else(out_of_range)
    }

    /// The digits, the number in JSON, and whether the digits are all.
    pub(super) fn written(&self) -> (String, Value, bool) {
        let whole = (!self.rounded).then(|| self.in_full()).flatten();
        let exact = whole.is_some();
        let text = whole.unwrap_or_else(|| self.significant());
        let integer = self.value.is_integer().then(|| self.value.to_i64()).flatten().map(Value::from);
        let value = integer.unwrap_or_else(|| text.parse::<f64>().map_or(Value::Null, Value::from));
        (text, value, exact)
    }

    /// All digits, where they end and are not too many.
    fn in_full(&self) -> Option<String> {
        let mut scaled = self.value.clone();
        let ten = BigInt::from(10);
        let mut places = 0;
        while !scaled.is_integer() {
            places += 1;
            scaled *= &ten;
            if places > PLACES {
                return None;
            }
        }
        let digits = scaled.numer().abs().to_string();
        (digits.len() <= DIGITS).then(|| format!("{}{}", self.sign(), with_point(&digits, places as usize)))
    }

    /// The first digits.
    fn significant(&self) -> String {
        if self.value.is_zero() {
            return "0".to_owned();
        }
        let size = self.value.abs();
        let ten = |exponent: i64| BigRational::from_integer(BigInt::from(10)).pow(i32::try_from(exponent).unwrap_or(0));
        let length = |whole: BigRational| whole.to_integer().to_string().len() as i64;
        // The power of ten of the first digit.
        let mut first = if size >= BigRational::one() { length(size.clone()) - 1 } else { -length(size.recip()) };
        if size >= ten(first + 1) {
            first += 1;
        }
        let mut digits = (size * ten(SIGNIFICANT - 1 - first)).round().to_integer().to_string();
        if digits.len() as i64 > SIGNIFICANT {
            // 9.99… became 10.
            first += 1;
        }
        digits.truncate(SIGNIFICANT as usize);
        let digits = digits.trim_end_matches('0');
        let sign = self.sign();
        let length = digits.len() as i64;
        match first {
            0..=20 if length > first => format!("{sign}{}", with_point(digits, (length - 1 - first) as usize)),
            0..=20 => format!("{sign}{digits}{}", "0".repeat((first + 1 - length) as usize)),
            -7..0 => format!("{sign}{}", with_point(digits, (length - 1 - first) as usize)),
            _ => format!("{sign}{}e{first}", with_point(digits, digits.len() - 1)),
        }
    }

    fn sign(&self) -> &'static str {
        if self.value.is_negative() { "-" } else { "" }
    }
}

/// Digits with a point before the last `places` of them.
fn with_point(digits: &str, places: usize) -> String {
    if places == 0 {
        return digits.to_owned();
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, places) = padded.split_at(padded.len() - places);
    format!("{whole}.{places}")
}
