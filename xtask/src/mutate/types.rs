//! Which types the names in the contract have: so only arguments that may take each other's place
//! are exchanged.
//!
//! By name alone, over all files: a name has every type it is declared with anywhere. That is
//! wrong here and there, which costs a mutant that does not compile.

use std::collections::{BTreeMap, BTreeSet};

use super::mutants::{is_word, mask, tokens};

/// Words that stand between a type and the name it is given.
const BETWEEN: [&str; 11] = [
    "calldata",
    "memory",
    "storage",
    "payable",
    "public",
    "private",
    "internal",
    "external",
    "immutable",
    "constant",
    "indexed",
];

/// What is between brackets does not tell the type of the whole.
const OPERATORS: [char; 12] = ['+', '-', '*', '/', '%', '<', '>', '=', '&', '|', '?', '!'];

/// The types of each name.
#[derive(Default)]
pub(crate) struct Types(BTreeMap<String, BTreeSet<String>>);

impl Types {
    /// What all declarations in these sources say.
    pub(crate) fn of<'text>(sources: impl IntoIterator<Item = &'text str>) -> Self {
        let mut types = Self::default();
        for (name, kind) in [("sender", "address"), ("timestamp", "uint256"), ("length", "uint256")]
        {
            types.0.entry(name.to_owned()).or_default().insert(kind.to_owned());
        }
        for source in sources {
            types.learn(source);
        }
        types
    }

    fn learn(&mut self, source: &str) {
        let masked = mask(source);
        let words: Vec<&str> =
            tokens(&masked).iter().map(|token| &masked[token.start..token.end]).collect();
        let mut function = None;
        for (at, word) in words.iter().enumerate() {
            match *word {
                "function" => function = words.get(at + 1).copied(),
                "{" | ";" => function = None,
                "returns" => {
                    if let (Some(name), Some((kind, _))) =
                        (function, declared(words.get(at + 2..).unwrap_or_default()))
                    {
                        self.0.entry(name.to_owned()).or_default().insert(kind);
                    }
                }
                _ => {}
            }
            if let Some((kind, Some(name))) = declared(&words[at..]) {
                self.0.entry(name.to_owned()).or_default().insert(kind);
            }
        }
    }

    /// Whether one expression can stand where the other is, as far as can be told.
    pub(crate) fn agree(&self, one: &str, other: &str) -> bool {
        match (self.kinds(one), self.kinds(other)) {
            (Some(one), Some(other)) => !one.is_disjoint(&other),
            (Some(kinds), None) | (None, Some(kinds)) => {
                let number = if is_number(one) { true } else { is_number(other) };
                number && kinds.iter().any(|kind| kind.starts_with("uint"))
            }
            (None, None) => true,
        }
    }

    /// The types an expression may have, if its name tells them.
    fn kinds(&self, expression: &str) -> Option<BTreeSet<String>> {
        let plain = without_brackets(expression);
        if plain.contains(OPERATORS) {
            let compares = ["==", "!=", "<", ">", "!", "&&", "||"];
            return compares
                .iter()
                .any(|operator| plain.contains(operator))
                .then(|| BTreeSet::from(["bool".to_owned()]));
        }
        let name = plain.rsplit('.').next().unwrap_or_default().trim();
        if is_elementary(name) {
            return Some(BTreeSet::from([name.to_owned()]));
        }
        self.0.get(name).cloned()
    }
}

/// Whether these words begin a declaration: its type, and its name unless it has none.
fn declared<'word>(words: &[&'word str]) -> Option<(String, Option<&'word str>)> {
    let first = *words.first()?;
    if !is_type(first) {
        return None;
    }
    let (mut kind, mut rest) = (first.to_owned(), &words[1..]);
    while let [".", part, more @ ..] = rest {
        kind = (*part).to_owned();
        rest = more;
    }
    while let ["[", "]", more @ ..] | ["[", _, "]", more @ ..] = rest {
        kind.push_str("[]");
        rest = more;
    }
    while let [between, more @ ..] = rest {
        if !BETWEEN.contains(between) {
            break;
        }
        rest = more;
    }
    let name = rest.first().copied().filter(|word| is_word(word) && *word != "returns");
    Some((kind, name))
}

/// Whether a statement declares a variable: without it nothing compiles.
pub(crate) fn is_declaration(statement: &str) -> bool {
    let plain = mask(statement);
    let found = tokens(&plain);
    let mut words: Vec<&str> = found.iter().map(|token| &plain[token.start..token.end]).collect();
    while words.first().is_some_and(|word| ["(", ","].contains(word)) {
        words.remove(0);
    }
    words.first() == Some(&"mapping") || declared(&words).is_some_and(|(_, name)| name.is_some())
}

fn is_type(word: &str) -> bool {
    is_elementary(word)
        || (word.starts_with(|c: char| c.is_ascii_uppercase())
            && word.contains(|c: char| c.is_ascii_lowercase()))
}

fn is_elementary(word: &str) -> bool {
    let sized = |prefix: &str| {
        word.strip_prefix(prefix).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    };
    ["address", "bool", "string"].contains(&word) || ["uint", "int", "bytes"].into_iter().any(sized)
}

fn is_number(expression: &str) -> bool {
    expression.trim().starts_with(|c: char| c.is_ascii_digit())
}

/// The expression without its arguments and indices.
fn without_brackets(expression: &str) -> String {
    let mut depth = 0_usize;
    let mut plain = String::new();
    for c in expression.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_types_they_are_declared_with() {
        let types = Types::of([
            "struct Proof { uint64 nonce; bytes32 root; }",
            "function epoch(Channel self) returns (uint64 e) { bytes32[] calldata some; }",
        ]);
        assert!(types.agree("proof.nonce", "stored.epoch()"));
        assert!(types.agree("proof.nonce", "3"));
        assert!(types.agree("msg.sender", "address(this)"));
        assert!(!types.agree("proof.nonce", "proof.root"));
        assert!(!types.agree("proof.root", "0"));
        assert!(!types.agree("proof.root", "some"));
        assert!(!types.agree("payer > payee", "proof.root"));
    }

    #[test]
    fn declarations_are_told_from_other_statements() {
        for yes in [
            "uint256 x = 1",
            "(uint256 a, , bytes32 b) = f()",
            "Channel stored = channels[id]",
            "Claims.Bits storage bits = claimed[key]",
            "bytes32[] memory all = new bytes32[](3)",
            "mapping(bytes32 => uint256) private sums",
        ] {
            assert!(is_declaration(yes), "{yes}");
        }
        for no in ["x += 1", "return x", "Tokens.push(token, to, amount)", "(a, b) = f()"] {
            assert!(!is_declaration(no), "{no}");
        }
    }
}
