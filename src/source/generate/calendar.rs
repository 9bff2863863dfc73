//! Days and seconds since 1970 as dates and times of the Gregorian calendar, in UTC.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Writes a date: `2000-12-31`.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    // Counted from 1 March of a year that 400 divides, a leap day is the last of its year
    // (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year_of_era + next;
    pair(year / 100, out);
    pair(year % 100, out);
    out.push(b'-');
    pair(month, out);
    out.push(b'-');
    pair(day, out);
}

/// Writes a point in time as RFC 3339 has it: `2000-12-31T23:59:59Z`.
pub(super) fn timestamp(seconds: i64, out: &mut Vec<u8>) {
    date(seconds.div_euclid(DAY), out);
    let second = seconds.rem_euclid(DAY);
    out.push(b'T');
    pair(second / 3600, out);
    out.push(b':');
    pair(second / 60 % 60, out);
    out.push(b':');
    pair(second % 60, out);
    out.push(b'Z');
}

/// Writes two digits.
fn pair(number: i64, out: &mut Vec<u8>) {
    let digit = |number: i64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    out.extend([digit(number / 10), digit(number)]);
}

#[cfg(test)]
mod tests {
    use super::{date, timestamp};

    #[test]
    fn every_day_of_four_digit_years_is_that_of_jiff() {
        let mut out = Vec::new();
        let mut day = jiff::civil::Date::constant(0, 1, 1);
        for days in -719_528..2_932_897_i64 {
            out.clear();
            date(days, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), day.to_string(), "{days}");
            day = day.tomorrow().unwrap_or(day);
        }
        assert_eq!(day.year(), 9999);
    }

    #[test]
    fn times_are_those_of_jiff() {
        for seconds in [0, -1, 59, 86_399, 86_400, 951_868_799, -62_167_219_200, 253_402_207_200] {
            let mut out = Vec::new();
            timestamp(seconds, &mut out);
            let wanted = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            assert_eq!(String::from_utf8_lossy(&out), wanted, "{seconds}");
        }
    }
}
