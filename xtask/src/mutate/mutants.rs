//! Small wrong changes to Solidity source, found by its tokens.
//!
//! No syntax tree: what does not compile is thrown away by the compiler, in a fraction of a second.

use sha2::{Digest, Sha256};

use super::types::{Types, is_declaration};

/// One wrong change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mutant {
    /// Names it as long as its line stays as it is: eight hexadecimal digits.
    pub(crate) id: String,
    /// Below the folder contracts, as in `src/Disputes.sol`.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is replaced: bytes from `start` to before `end`.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Mutant {
    /// The file's text with the change made.
    pub(crate) fn apply(&self, text: &str) -> String {
        format!("{}{}{}", &text[..self.start], self.after, &text[self.end..])
    }

    /// The change on one line.
    pub(crate) fn shown(&self) -> String {
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let after = if self.after.is_empty() { "(nothing)" } else { &self.after };
        format!("{} => {}", flat(&self.before), flat(after))
    }
}

/// A word, a number or an operator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Operators of more than one character, the longest first.
const LONG: [&str; 24] = [
    ">>=", "<<=", "**", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "+=", "-=", "*=", "/=",
    "|=", "&=", "^=", "++", "--", "=>", ":=", "->", "::",
];

/// Statements that only declare: without them nothing compiles, or nothing changes.
const DECLARATIONS: [&str; 10] =
    ["import", "pragma", "using", "event", "error", "type", "struct", "function", "from", "for"];

/// Words before a list in parentheses that is no list of arguments.
const NO_CALLS: [&str; 12] = [
    "function",
    "constructor",
    "event",
    "error",
    "modifier",
    "mapping",
    "returns",
    "if",
    "for",
    "while",
    "return",
    "assembly",
];

/// Calls that take arguments of any type.
const OF_ANY_TYPE: [&str; 2] = ["encode", "encodePacked"];

/// All mutants of a file, in the order of their place.
pub(crate) fn of(file: &str, text: &str, types: &Types) -> Vec<Mutant> {
    let masked = mask(text);
    let tokens = tokens(&masked);
    let assembly = assembly_ranges(&masked, &tokens);
    let in_assembly = |at: usize| assembly.iter().any(|(start, end)| (*start..*end).contains(&at));
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let word = &masked[token.start..token.end];
        if is_declared(&masked, token.start) {
            continue;
        }
        for other in replacements(word, in_assembly(token.start)) {
            changes.push((token.start, token.end, other));
        }
        if word == "?" {
            changes.extend(swapped_branches(text, &masked, *token));
        }
        let opens = tokens.get(index + 1).is_some_and(|next| &masked[next.start..next.end] == "(");
        let before = index.checked_sub(1).map_or("", |i| &masked[tokens[i].start..tokens[i].end]);
        if opens && is_word(word) && !NO_CALLS.contains(&word) && !NO_CALLS[..5].contains(&before) {
            let any = OF_ANY_TYPE.contains(&word) || in_assembly(token.start);
            let agree = |one: &str, other: &str| any || types.agree(one, other);
            changes.extend(swapped_arguments(text, &masked, tokens[index + 1].start, &agree));
        }
    }
    changes.extend(removed_statements(&masked, &in_assembly));
    changes.extend(removed_lines(&masked, &assembly));
    changes.sort();
    changes.dedup();
    named(file, text, changes)
}

/// Gives each change its name: a hash of its line and of what is changed there.
fn named(file: &str, text: &str, changes: Vec<(usize, usize, String)>) -> Vec<Mutant> {
    let mut mutants: Vec<Mutant> = Vec::new();
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for (start, end, after) in changes {
        let first = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[first..last].trim();
        let key = format!("{file}\n{line}\n{}\n{}\n{after}", start - first, &text[start..end]);
        let repeated = seen.entry(key.clone()).or_default();
        let digest = Sha256::digest(format!("{key}\n{repeated}"));
        *repeated += 1;
        mutants.push(Mutant {
            id: digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            start,
            end,
            before: text[start..end].to_owned(),
            after,
        });
    }
    mutants
}

/// The text with comments and strings blanked, every byte in its place.
pub(super) fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut masked = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => find(bytes, at, b"\n"),
            [b'/', b'*', ..] => find(bytes, at, b"*/") + 2,
            [b'"', ..] => find(bytes, at + 1, b"\"") + 1,
            _ => at,
        };
        if end == at {
            at += 1;
            continue;
        }
        for byte in &mut masked[at..end.min(bytes.len())] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end;
    }
    // What is not ASCII stands only in comments and strings.
    masked.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { ' ' }).collect()
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    let found = bytes[from..].windows(what.len()).position(|window| window == what);
    found.map_or(bytes.len(), |at| from + at)
}

pub(super) fn tokens(masked: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = masked[at..].chars().next() {
        let rest = &masked[at..];
        let length = if first.is_ascii_alphanumeric() || first == '_' {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else {
            LONG.iter().find(|long| rest.starts_with(**long)).map_or(1, |long| long.len())
        };
        if !first.is_whitespace() {
            tokens.push(Token { start: at, end: at + length });
        }
        at += length;
    }
    tokens
}

pub(super) fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

fn assembly_ranges(masked: &str, tokens: &[Token]) -> Vec<(usize, usize)> {
    let starts = tokens.iter().filter(|token| &masked[token.start..token.end] == "assembly");
    starts
        .filter_map(|token| {
            let open = token.start + masked[token.start..].find('{')?;
            Some((open, closing(masked, open)?))
        })
        .collect()
}

/// Where the bracket at `open` closes.
fn closing(masked: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in masked[open..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where the statement around `at` starts.
fn statement_start(masked: &str, at: usize) -> usize {
    let before = masked[..at].rfind([';', '{', '}']).map_or(0, |before| before + 1);
    before + masked[before..].len() - masked[before..].trim_start().len()
}

fn is_declared(masked: &str, at: usize) -> bool {
    let statement = &masked[statement_start(masked, at)..];
    DECLARATIONS.iter().any(|word| {
        statement.strip_prefix(word).is_some_and(|rest| rest.starts_with(char::is_whitespace))
    })
}

/// What may stand wrongly in the place of a token.
fn replacements(token: &str, in_assembly: bool) -> Vec<String> {
    if token.starts_with(|c: char| c.is_ascii_digit()) {
        return one_more(token).into_iter().collect();
    }
    let others: &[&str] = match token {
        "<" => &["<=", ">="],
        "<=" => &["<", ">"],
        ">" => &[">=", "<="],
        ">=" => &[">", "<"],
        "==" => &["!="],
        "!=" => &["=="],
        "&&" => &["||"],
        "||" => &["&&"],
        "+" => &["-"],
        "-" => &["+"],
        "*" => &["/"],
        "/" | "%" => &["*"],
        "<<" => &[">>"],
        ">>" => &["<<"],
        "&" => &["|"],
        "|" | "^" => &["&"],
        "+=" => &["-=", "="],
        "-=" => &["+=", "="],
        "|=" => &["&=", "="],
        "&=" => &["|=", "="],
        "!" | "~" => &[""],
        "++" => &["--"],
        "true" => &["false"],
        "false" => &["true"],
        "add" if in_assembly => &["sub"],
        "sub" if in_assembly => &["add"],
        "lt" if in_assembly => &["gt"],
        "gt" if in_assembly => &["lt"],
        "and" if in_assembly => &["or"],
        "or" if in_assembly => &["and"],
        "shl" if in_assembly => &["shr"],
        "shr" if in_assembly => &["shl"],
        "mul" if in_assembly => &["add"],
        "eq" if in_assembly => &["lt"],
        _ => &[],
    };
    others.iter().map(|&other| other.to_owned()).collect()
}

/// The number greater by one, in the form it has; beyond 128 bits only the last digit counts.
fn one_more(number: &str) -> Option<String> {
    let plain = number.replace('_', "");
    if let Some(digits) = plain.strip_prefix("0x") {
        let split = digits.len().checked_sub(1)?;
        if let Ok(value) = u128::from_str_radix(digits, 16) {
            return Some(format!("{:#x}", value.checked_add(1)?));
        }
        let last = u32::from_str_radix(&digits[split..], 16).ok()?;
        return Some(format!("0x{}{:X}", &digits[..split], (last + 1) % 16));
    }
    plain.parse::<u128>().ok()?.checked_add(1).map(|value| value.to_string())
}

/// `a ? b : c` becomes `a ? c : b`.
fn swapped_branches(text: &str, masked: &str, question: Token) -> Option<(usize, usize, String)> {
    let colon = boundary(masked, question.end, ':')?;
    let end = boundary(masked, colon + 1, ';')?;
    let (first, second) = (text[question.end..colon].trim(), text[colon + 1..end].trim());
    (first != second).then(|| (question.end, end, format!(" {second} : {first}")))
}

/// The first `wanted`, or the end of a list or statement, that no bracket encloses.
fn boundary(masked: &str, from: usize, wanted: char) -> Option<usize> {
    let mut at = from;
    while let Some(c) = masked[at..].chars().next() {
        match c {
            '(' | '[' | '{' => at = closing(masked, at)?,
            ')' | ']' | '}' | ',' | ';' if wanted != ':' => return Some(at),
            _ if c == wanted => return Some(at),
            ')' | ']' | '}' | ';' => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Each argument in the place of the next, where their types `agree`.
fn swapped_arguments(
    text: &str,
    masked: &str,
    open: usize,
    agree: &dyn Fn(&str, &str) -> bool,
) -> Vec<(usize, usize, String)> {
    let Some(close) = closing(masked, open) else { return Vec::new() };
    let mut starts = vec![open + 1];
    let mut at = open + 1;
    while at < close {
        let Some(end) = boundary(masked, at, ',') else { return Vec::new() };
        at = end + 1;
        starts.push(at);
    }
    let mut swaps = Vec::new();
    for three in starts.windows(3) {
        let (first, second) =
            (text[three[0]..three[1] - 1].trim(), text[three[1]..three[2] - 1].trim());
        if first != second && !first.is_empty() && agree(first, second) {
            swaps.push((three[0], three[2] - 1, format!("{second}, {first}")));
        }
    }
    swaps
}

/// Each statement without its text; a body that is one statement becomes empty.
fn removed_statements(
    masked: &str,
    in_assembly: &dyn Fn(usize) -> bool,
) -> Vec<(usize, usize, String)> {
    let mut removed = Vec::new();
    for (end, _) in masked.match_indices(';') {
        let start = statement_start(masked, end);
        let statement = &masked[start..end];
        let balanced = statement.matches('(').count() == statement.matches(')').count();
        let declares = is_declared(masked, start) || is_declaration(statement);
        if statement.is_empty() || in_assembly(start) || declares || !balanced {
            continue;
        }
        let body = statement.strip_prefix("else ").map_or(start, |_| start + "else ".len());
        removed.push((body, end + 1, "{}".to_owned()));
    }
    removed
}

/// Each line of assembly that is a call or an assignment.
fn removed_lines(masked: &str, assembly: &[(usize, usize)]) -> Vec<(usize, usize, String)> {
    let mut removed = Vec::new();
    for &(open, close) in assembly {
        let mut at = open + 1;
        for line in masked[open + 1..close].split_inclusive('\n') {
            let (start, plain) = (at + line.len() - line.trim_start().len(), line.trim());
            at += line.len();
            if !plain.is_empty() && !plain.contains(['{', '}']) && !plain.starts_with("let ") {
                removed.push((start, start + plain.len(), String::new()));
            }
        }
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> Vec<String> {
        of("src/A.sol", text, &Types::of([text])).iter().map(Mutant::shown).collect()
    }

    #[test]
    fn operators_numbers_and_statements_are_changed() {
        let found = changes("function f() { if (a <= 3) revert X(a, b); x += 1; }");
        for wanted in [
            "<= => <",
            "<= => >",
            "3 => 4",
            "a, b => b, a",
            "+= => -=",
            "if (a <= 3) revert X(a, b); => {}",
            "x += 1; => {}",
        ] {
            assert!(found.iter().any(|change| change == wanted), "no {wanted} in {found:?}");
        }
    }

    #[test]
    fn comments_strings_and_declarations_stay() {
        assert_eq!(changes("// a < b\n/* 1 */ import {A} from \"./1.sol\";"), Vec::<String>::new());
        assert_eq!(changes("uint256 sum = plus;"), Vec::<String>::new());
    }

    #[test]
    fn branches_are_swapped() {
        assert!(changes("x = f(a ? b : c);").contains(&"b : c => c : b".to_owned()));
    }

    #[test]
    fn assembly_loses_its_lines_and_changes_its_words() {
        let found = changes("assembly {\n  mstore(0, add(a, 0x20))\n  let b := 1\n}");
        assert!(found.contains(&"mstore(0, add(a, 0x20)) => (nothing)".to_owned()), "{found:?}");
        assert!(found.contains(&"add => sub".to_owned()), "{found:?}");
        assert!(!found.iter().any(|change| change.starts_with("let")), "{found:?}");
    }

    #[test]
    fn a_mutants_name_does_not_depend_on_where_its_line_is() {
        let ids = |text: &str| {
            of("a", text, &Types::of([text]))
                .into_iter()
                .map(|mutant| mutant.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids("  x = a + b;"), ids("\n\n // more\n  x = a + b;"));
        let twice = ids("x = a + b;\nx = a + b;");
        assert_eq!(twice.len(), twice.iter().collect::<std::collections::BTreeSet<_>>().len());
    }

    #[test]
    fn applying_changes_one_place() {
        let text = "x = a + b;";
        let mutant =
            of("a", text, &Types::of([text])).into_iter().find(|mutant| mutant.before == "+");
        assert_eq!(mutant.map(|mutant| mutant.apply(text)), Some("x = a - b;".to_owned()));
    }
}
