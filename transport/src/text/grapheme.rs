//! Where a text should rather not be cut: inside what a reader sees as one character.
//!
//! An approximation of the grapheme clusters of Unicode (UAX 29) by blocks: to cut elsewhere is a courtesy, and the text
//! joins again wherever it was cut.

const JOINER: char = '\u{200D}';

/// Whether `next` belongs to the same visible character as `previous`.
pub(super) fn sticks(previous: char, next: char) -> bool {
    extends(next)
        || previous == JOINER
        // A line end stays whole; and packed septets cannot well end in a carriage return.
        || previous == '\r'
        || is_virama(previous)
        || is_regional_indicator(previous) && is_regional_indicator(next)
}

/// Marks, vowel signs, selectors, skin tones, tags, joiners.
fn extends(character: char) -> bool {
    let point = u32::from(character);
    match point {
        0x0900..=0x0DFF => {
            matches!(point & 0x7F, 0x00..=0x03 | 0x3A..=0x3C | 0x3E..=0x4D | 0x51..=0x57 | 0x62..=0x63)
        }
        0x0300..=0x036F
        | 0x0483..=0x0489
        | 0x0591..=0x05BD
        | 0x05BF..=0x05C7
        | 0x0610..=0x061A
        | 0x064B..=0x065F
        | 0x0670
        | 0x06D6..=0x06DC
        | 0x06DF..=0x06E8
        | 0x06EA..=0x06ED
        | 0x0E31
        | 0x0E34..=0x0E3A
        | 0x0E47..=0x0E4E
        | 0x0EB1
        | 0x0EB4..=0x0EBC
        | 0x0EC8..=0x0ECE
        | 0x102B..=0x103E
        | 0x1160..=0x11FF
        | 0x17B4..=0x17D3
        | 0x1AB0..=0x1AFF
        | 0x1DC0..=0x1DFF
        | 0x200C..=0x200D
        | 0x20D0..=0x20FF
        | 0x302A..=0x302F
        | 0x3099..=0x309A
        | 0xFE00..=0xFE0F
        | 0xFE20..=0xFE2F
        | 0xFF9E..=0xFF9F
        | 0x1_F3FB..=0x1_F3FF
        | 0xE_0020..=0xE_007F
        | 0xE_0100..=0xE_01EF => true,
        _ => false,
    }
}

/// The sign that binds a consonant of an Indic script to the next one.
fn is_virama(character: char) -> bool {
    let point = u32::from(character);
    (0x0900..=0x0DFF).contains(&point) && point & 0x7F == 0x4D
}

/// Two of these are a flag.
fn is_regional_indicator(character: char) -> bool {
    ('\u{1F1E6}'..='\u{1F1FF}').contains(&character)
}

#[cfg(test)]
mod tests {
    //! Guards the places where a text is not cut.

    use super::sticks;

    fn clusters(text: &str) -> Vec<String> {
        let mut clusters: Vec<String> = Vec::new();
        for character in text.chars() {
            match clusters.last_mut() {
                Some(last) if last.chars().last().is_some_and(|previous| sticks(previous, character)) => {
                    last.push(character);
                }
                _ => clusters.push(character.into()),
            }
        }
        clusters
    }

    #[test]
    fn what_a_reader_sees_as_one_stays_whole() {
        for whole in ["e\u{301}", "👨‍👩‍👧", "👍🏽", "❤️", "🇩🇪", "क्षि", "שָׁ", "กิ", "\r\n", "が", "각"]
        {
            assert_eq!(clusters(whole), [whole]);
        }
    }

    #[test]
    fn what_a_reader_sees_as_several_may_be_cut() {
        for text in ["abc", "Привет", "你好", "शब", "한글", "😀😀", "\n\n"] {
            assert_eq!(clusters(text).len(), text.chars().count(), "{text}");
        }
    }
}
