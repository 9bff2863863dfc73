//! What the fields of made records may hold, as far as config, plan and source share it.

/// A locale whose names and words there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// Arabic, Saudi Arabia.
    ArSa,
    /// Welsh, Great Britain.
    CyGb,
    /// German, Germany.
    DeDe,
    /// English.
    En,
    /// Persian, Iran.
    FaIr,
    /// French, France.
    FrFr,
    /// Italian, Italy.
    ItIt,
    /// Japanese, Japan.
    JaJp,
    /// Dutch, the Netherlands.
    NlNl,
    /// Portuguese, Brazil.
    PtBr,
    /// Portuguese, Portugal.
    PtPt,
    /// Turkish, Türkiye.
    TrTr,
    /// Chinese, China.
    ZhCn,
    /// Chinese, Taiwan.
    ZhTw,
}

/// A value that is made without a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// The number of the record, from 1.
    Sequence,
    /// A UUID, version 4.
    Uuid,
    /// A first and a last name.
    Name,
    /// A first name.
    FirstName,
    /// A last name.
    LastName,
    /// A name to log in with.
    Username,
    /// An e-mail address.
    Email,
    /// A password as people should have it.
    Password,
    /// A company.
    Company,
    /// What somebody does for a living.
    Job,
    /// A telephone number.
    Phone,
    /// A street.
    Street,
    /// A city.
    City,
    /// A state or province.
    State,
    /// A postal code.
    Zip,
    /// A country.
    Country,
    /// The code of a country: two letters.
    CountryCode,
    /// A word.
    Word,
    /// A sentence.
    Sentence,
    /// An IP address, version 4.
    Ipv4,
}

/// A share of what there is: `parts` of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub parts: u64,
    /// Of how many, at least one.
    pub of: u64,
}

impl Share {
    /// Nothing.
    pub const NONE: Self = Self { parts: 0, of: 1 };

    /// One of two.
    pub const HALF: Self = Self { parts: 1, of: 2 };

    /// Returns a share in its lowest terms: however it is written, it draws the same.
    pub fn new(parts: u64, of: u64) -> Self {
        let (mut large, mut small) = (of.max(1), parts);
        while small > 0 {
            (large, small) = (small, large % small);
        }
        Self { parts: parts / large, of: of.max(1) / large }
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn shares_are_in_their_lowest_terms() {
        for (parts, of, wanted) in [
            (0, 100, Share::NONE),
            (50, 100, Share::HALF),
            (500, 1000, Share::HALF),
            (1, 1, Share { parts: 1, of: 1 }),
            (3, 1000, Share { parts: 3, of: 1000 }),
        ] {
            assert_eq!(Share::new(parts, of), wanted);
        }
    }
}
