//! The name that somebody may have meant.

/// `; did you mean X?`, or nothing when none is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known = known.into_iter().map(|other| (distance(name, other), other));
    // A name that goes on where this one ends is as near as one with another letter, and goes before it.
    let rank = |(distance, other): &(usize, &str)| {
        let goes_on = name.len() > 2 && (other.starts_with(name) || name.starts_with(other));
        if goes_on { (1, other.len()) } else { (*distance, usize::MAX) }
    };
    let nearest = known.min_by_key(rank);
    let is_near = |found: &(usize, &str)| rank(found).0 <= 1 + name.chars().count() / 3;
    nearest.filter(is_near).map_or_else(String::new, |(_, other)| format!("; did you mean {other}?"))
}

/// How many letters to add, take away, change or swap with the next.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=other.len()).collect()];
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let changed = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    //! Guards what is suggested, and that nothing is when nothing is near.

    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood() {
        let known = ["system_id", "system_type", "password", "port"];
        assert_eq!(nearest("sytsem_id", known), "; did you mean system_id?");
        assert_eq!(nearest("pasword", known), "; did you mean password?");
        assert_eq!(nearest("prot", known), "; did you mean port?");
        assert_eq!(nearest("webhook_url", known), "");
        assert_eq!(nearest("host", ["vhost", "hostname", "port"]), "; did you mean hostname?");
        assert_eq!(nearest("inbound", ["outbound_enabled", "inbound_enabled"]), "; did you mean inbound_enabled?");
    }

    #[test]
    fn distances_count_letters() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
