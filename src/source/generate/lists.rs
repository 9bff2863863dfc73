//! The words and templates of a locale, as they are written into records.
//!
//! They come from the crate `fake`. Its own functions are not called: what they make depends on
//! how other crates draw numbers, and they make a text for each value.

use std::sync::Arc;

use deunicode::AsciiChars as _;
use fake::locales::{
    AR_SA, CY_GB, DE_DE, Data, EN, FA_IR, FR_FR, IT_IT, JA_JP, NL_NL, PT_BR, PT_PT, TR_TR, ZH_CN,
    ZH_TW,
};

use crate::source::generate::random::Random;
use crate::words::fields::Locale;

/// All that there is for one locale.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) first_names: List,
    pub(super) last_names: List,
    /// The same in lower-case ASCII letters.
    pub(super) first_slugs: List,
    pub(super) last_slugs: List,
    pub(super) words: List,
    /// The same with a capital letter where there are any.
    pub(super) capitals: List,
    pub(super) countries: List,
    pub(super) country_codes: List,
    pub(super) states: List,
    /// Patterns, see [`numbers`].
    pub(super) phones: List,
    pub(super) zips: List,
    pub(super) names: Vec<Template>,
    pub(super) companies: Vec<Template>,
    pub(super) jobs: Vec<Template>,
    pub(super) streets: Vec<Template>,
    pub(super) cities: Vec<Template>,
}

/// Words of which one is chosen, as they stand between the quotes of a JSON string: in a row, and
/// shared by all templates, so that what is often looked at stays in the cache.
#[derive(Clone, Debug)]
pub(super) struct List {
    text: Arc<[u8]>,
    /// Where each word begins, and where the last one ends.
    marks: Arc<[u32]>,
}

/// Words and what stands between them.
#[derive(Debug)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(Box<[u8]>),
    One(List),
}

impl List {
    fn new(words: &[&str]) -> Self {
        Self::of(words.iter().map(|word| (*word).to_owned()))
    }

    fn of(words: impl Iterator<Item = String>) -> Self {
        let (mut text, mut marks) = (Vec::new(), vec![0]);
        for word in words {
            text.extend_from_slice(&escaped(&word));
            marks.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Self { text: text.into(), marks: marks.into() }
    }

    /// Chooses a word; where there is none, it is empty.
    pub(super) fn one(&self, random: &mut Random) -> &[u8] {
        let index = random.index(self.marks.len() - 1);
        let Some([start, end]) = self.marks.get(index..index + 2) else { return &[] };
        self.text.get(*start as usize..*end as usize).unwrap_or_default()
    }
}

impl Template {
    /// Puts lists where a text names them.
    fn new(text: &str, slots: &[(&str, &List)]) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
            let slot = slots.iter().find(|(slot, _)| *slot == name);
            parts.push(Part::Text(escaped(before)));
            parts.extend(slot.map(|(_, list)| Part::One(List::clone(list))));
            rest = behind;
        }
        parts.push(Part::Text(escaped(rest)));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Self(parts)
    }

    /// Writes it, with words that are chosen.
    fn write(&self, random: &mut Random, out: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::One(list) => out.extend_from_slice(list.one(random)),
            }
        }
    }
}

/// Writes one of some templates.
pub(super) fn one_of(templates: &[Template], random: &mut Random, out: &mut Vec<u8>) {
    if let Some(template) = templates.get(random.index(templates.len())) {
        template.write(random, out);
    }
}

/// Writes a pattern: a digit for `#`, one from 1 on for `^`, a letter for `$`.
pub(super) fn numbers(pattern: &[u8], random: &mut Random, out: &mut Vec<u8>) {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTVWXYZ";
    let mut number = random.next();
    let mut below =
        |bound: u8| u8::try_from(Random::digit(&mut number, u64::from(bound))).unwrap_or_default();
    out.extend(pattern.iter().map(|byte| match byte {
        b'#' => b'0' + below(10),
        b'^' => b'1' + below(9),
        b'$' => LETTERS.get(usize::from(below(23))).copied().unwrap_or(b'A'),
        other => *other,
    }));
}

/// Writes a text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> Box<[u8]> {
    let quoted = serde_json::Value::from(text).to_string().into_bytes();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().into()
}

/// Writes a name in lower-case ASCII letters: the number behind it must stay the only one.
fn slug(name: &str) -> String {
    let ascii = name.ascii_chars().flatten().flat_map(str::chars);
    let kept = ascii.filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase());
    let slug: String = kept.collect();
    if slug.is_empty() { "user".to_owned() } else { slug }
}

fn capital(word: &&str) -> String {
    let mut chars = word.chars();
    chars.next().into_iter().flat_map(char::to_uppercase).chain(chars).collect()
}

/// Returns what there is for a locale.
pub(super) fn lists(locale: Locale) -> Lists {
    match locale {
        Locale::ArSa => of::<AR_SA>(),
        Locale::CyGb => of::<CY_GB>(),
        Locale::DeDe => of::<DE_DE>(),
        Locale::En => of::<EN>(),
        Locale::FaIr => of::<FA_IR>(),
        Locale::FrFr => of::<FR_FR>(),
        Locale::ItIt => of::<IT_IT>(),
        Locale::JaJp => of::<JA_JP>(),
        Locale::NlNl => of::<NL_NL>(),
        Locale::PtBr => of::<PT_BR>(),
        Locale::PtPt => of::<PT_PT>(),
        Locale::TrTr => of::<TR_TR>(),
        Locale::ZhCn => of::<ZH_CN>(),
        Locale::ZhTw => of::<ZH_TW>(),
    }
}

fn of<L: Data>() -> Lists {
    let slugs = |names: &[&str]| List::of(names.iter().map(|name| slug(name)));
    let (first, last) = (List::new(L::NAME_FIRST_NAME), List::new(L::NAME_LAST_NAME));
    let all = |texts: &[&str], slots: &[(&str, &List)]| {
        texts.iter().map(|text| Template::new(text, slots)).collect::<Vec<_>>()
    };
    let suffixes = List::new(L::COMPANY_SUFFIX);
    let company = [("Name_1", &last), ("Name_2", &last), ("Suffix", &suffixes)];
    let job = [
        ("Seniority", &List::new(L::JOB_SENIORITY)),
        ("Field", &List::new(L::JOB_FIELD)),
        ("Position", &List::new(L::JOB_POSITION)),
    ];
    let street = [("StreetName", &last), ("StreetSuffix", &List::new(L::ADDRESS_STREET_SUFFIX))];
    let city = [
        ("CityPrefix", &List::new(L::ADDRESS_CITY_PREFIX)),
        ("CityName", &last),
        ("CitySuffix", &List::new(L::ADDRESS_CITY_SUFFIX)),
    ];
    // As `fake` does it, one city of five has a prefix.
    let plain = L::ADDRESS_CITY_TPL;
    let cities = [plain, plain, plain, plain, L::ADDRESS_CITY_WITH_PREFIX_TPL];
    Lists {
        names: all(&[L::NAME_TPL], &[("FirstName", &first), ("LastName", &last)]),
        companies: all(L::COMPANY_NAME_TPLS, &company),
        jobs: all(&[L::JOB_TITLE_TPL], &job),
        streets: all(&[L::ADDRESS_STREET_TPL], &street),
        cities: all(&cities, &city),
        first_slugs: slugs(L::NAME_FIRST_NAME),
        last_slugs: slugs(L::NAME_LAST_NAME),
        words: List::new(L::LOREM_WORD),
        capitals: List::of(L::LOREM_WORD.iter().map(capital)),
        countries: List::new(L::ADDRESS_COUNTRY),
        country_codes: List::new(L::ADDRESS_COUNTRY_CODE),
        states: List::new(L::ADDRESS_STATE),
        phones: List::new(L::PHONE_CELL_NUMBER_FORMATS),
        zips: List::new(L::ADDRESS_POSTCODE_FORMATS),
        first_names: first,
        last_names: last,
    }
}

#[cfg(test)]
mod tests {
    use super::{List, Template, numbers, slug};
    use crate::source::generate::random::Random;

    #[test]
    fn slugs_are_ascii_and_never_empty() {
        for (name, wanted) in [
            ("João", "joao"),
            ("D'Ávila Neto", "davilaneto"),
            ("Şahin", "sahin"),
            ("عمر", "mr"),
            ("伟", "wei"),
            ("'", "user"),
        ] {
            assert_eq!(slug(name), wanted, "{name}");
        }
    }

    #[test]
    fn templates_are_filled_and_what_they_do_not_know_is_left_out() {
        let list = List::new(&["a \"b\""]);
        let template = Template::new("x {One}-{Two}\\", &[("One", &list)]);
        let mut out = Vec::new();
        template.write(&mut Random::of(0, 0), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#"x a \"b\"-\\"#);
    }

    #[test]
    fn patterns_become_digits_and_letters() {
        let mut out = Vec::new();
        numbers("(^#) $$ nº ###".as_bytes(), &mut Random::of(0, 0), &mut out);
        let text = String::from_utf8(out).unwrap();
        let wanted = regex::Regex::new(r"^\([1-9]\d\) [A-Z]{2} nº \d{3}$").unwrap();
        assert!(wanted.is_match(&text), "{text}");
    }
}
