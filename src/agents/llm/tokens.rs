//! Tokens where the provider tells none, counted by a tokenizer of OpenAI's.

use tiktoken_rs::o200k_base_singleton;

use super::answer::{Answer, Tokens};
use super::conversation::Message;

/// Tokens of a request and of its answer by the encoding `o200k_base`, whichever model it was: an
/// estimate, since other models have other encodings, and tools and roles take tokens that are not
/// counted here.
pub(super) fn counted(messages: &[Message], answer: &Answer) -> Tokens {
    Tokens {
        input: count(messages.iter().flat_map(Message::texts)),
        cached_input: 0,
        output: count(answer.texts()),
    }
}

fn count<'a>(texts: impl Iterator<Item = &'a str>) -> u64 {
    let encoding = o200k_base_singleton();
    texts.map(|text| encoding.count_ordinary(text) as u64).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_those_of_the_encoding() {
        // By OpenAI's own tiktoken: 13225, 11, 2375, 0.
        assert_eq!(count(["Hello, world!"].into_iter()), 4);
        assert_eq!(count(["Hello", ", world!", ""].into_iter()), 4);
    }
}
