//! Inputs made at random and changed at random, until somebody is wrong about one.
//!
//! Without a word in the environment a fixed number of them, the same each time, as one test among
//! others. `ESTEIRA_FUZZ_SECONDS` says for how long instead, and `ESTEIRA_FUZZ_SEED` from where;
//! `ESTEIRA_FUZZ_INPUT` takes an input that failed, as it was told, to try that one only.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many inputs are tried where no time is given.
const CASES: u64 = 5000;

/// How many inputs are kept to go on from, and how long they may be.
const KEPT: usize = 512;
const LONGEST: usize = 4096;

/// What is tried: whether an input was worth going on from, or what is wrong with the answer.
pub type Check = fn(&[u8]) -> Result<bool, String>;

/// A sequence that only the seed decides (xorshift64*).
#[derive(Clone, Copy, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Returns a number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap_or(0) % sides.max(1)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap_or(0)
    }
}

/// Tries `check` on inputs as `fresh` makes them, and on what becomes of them when they are changed
/// and `splinters` put in.
pub fn fuzz(name: &str, fresh: &impl Strategy<Value = Vec<u8>>, splinters: &[&[u8]], check: Check) {
    if let Some(hex) = given::<String>("ESTEIRA_FUZZ_INPUT") {
        return judge(check, &unhex(&hex)).map_or_else(|why| panic!("{name}: {why}"), drop);
    }
    let seconds = given("ESTEIRA_FUZZ_SECONDS");
    let seed = given("ESTEIRA_FUZZ_SEED").unwrap_or_else(|| seconds.map_or(1, |_: u64| now()));
    let mut dice = Dice(seed | 1 << 63);
    let made = [0; 4].map(|_: u8| (dice.roll(1 << 31) as u64).to_le_bytes()).concat();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &made);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);

    let (began, mut kept, mut good, mut count) = (Instant::now(), Vec::new(), 0, 0);
    while seconds.map_or(count < CASES, |most| began.elapsed() < Duration::from_secs(most)) {
        let is_fresh = kept.len() < 16 || dice.roll(16) == 0;
        let input = if is_fresh {
            fresh.new_tree(&mut runner).expect("the strategy makes inputs").current()
        } else {
            changed(&kept, splinters, &mut dice)
        };
        let worth = judge(check, &input).unwrap_or_else(|why| {
            panic!("{name}: {why}\nseed {seed}, input {count}: ESTEIRA_FUZZ_INPUT={}", hex(&input))
        });
        count += 1;
        good += u64::from(worth);
        if input.len() <= LONGEST && (is_fresh || worth && dice.roll(8) == 0) {
            if kept.len() < KEPT {
                kept.push(input);
            } else {
                kept[dice.roll(KEPT)] = input;
            }
        }
    }
    let (took, share) = (began.elapsed().as_millis().max(1), 100 * good / count.max(1));
    let rate = u128::from(count) * 1000 / took;
    say(name, &format!("seed {seed}, {count} inputs, {rate}/s, {share} % of them sound"));
}

/// Asks about an input; a panic is a wrong answer, too.
fn judge(check: Check, input: &[u8]) -> Result<bool, String> {
    catch_unwind(AssertUnwindSafe(|| check(input))).unwrap_or_else(|_| Err("it panics".to_owned()))
}

/// Takes an input and changes it in a few places.
fn changed(kept: &[Vec<u8>], splinters: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut input = kept[dice.roll(kept.len())].clone();
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(input.len() + 1);
        let end = (at + 1 + dice.roll(12)).min(input.len());
        let to = dice.roll(input.len() + 1);
        match dice.roll(10) {
            0 if at < end => input[at] = dice.byte(),
            1 if at < end => input[at] ^= 1 << dice.roll(8),
            2 => drop(input.drain(at..end)),
            3 => drop(input.splice(to..to, input[at..end].to_vec())),
            4 => drop(input.splice(at..at, vec![dice.byte(); dice.roll(80)])),
            5 => {
                let other = &kept[dice.roll(kept.len())];
                input.truncate(at);
                input.extend_from_slice(&other[at.min(other.len())..]);
            }
            6 if dice.roll(4) == 0 => input.truncate(at),
            kind => {
                let end = if kind == 7 { end } else { at };
                input.splice(at..end, splinters[dice.roll(splinters.len())].iter().copied());
            }
        }
    }
    input
}

/// Tells who watches how it goes.
pub fn say(name: &str, what: &str) {
    eprintln!("fuzz {name}: {what}");
}

/// Reads a setting from the environment.
#[expect(clippy::disallowed_methods, reason = "these settings are for tests only")]
pub fn given<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("`{name}` is `{text}`, which cannot be read")))
}

/// Returns a seed that nobody chose.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| u64::from(time.subsec_nanos()))
}

fn hex(input: &[u8]) -> String {
    let digit = |nibble| char::from_digit(u32::from(nibble), 16);
    input.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).flatten().collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |d: &u8| char::from(*d).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.as_bytes().chunks(2).map(|pair| byte(pair).expect("hexadecimal digits")).collect()
}
