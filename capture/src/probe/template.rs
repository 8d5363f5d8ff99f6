//! Commands with places for names, filled in from what is on the cluster.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;

use super::inventory::Inventory;

/// Splits a command into words: single quotes keep spaces, and go.
pub(super) fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut is_open, mut is_quoted) = (String::new(), false, false);
    for letter in command.chars() {
        match letter {
            '\'' => (is_open, is_quoted) = (true, !is_quoted),
            ' ' if !is_quoted => {
                if is_open {
                    words.push(std::mem::take(&mut word));
                }
                is_open = false;
            }
            letter => {
                word.push(letter);
                is_open = true;
            }
        }
    }
    if is_open {
        words.push(word);
    }
    words
}

/// Fills `<pod>` and the like with what is there; none if nothing of that is there.
///
/// What belongs together is chosen together: a pod with its container and labels.
pub(super) fn fill(
    template: &str,
    inventory: &Inventory,
    random: &mut Xoshiro256PlusPlus,
) -> Option<Vec<String>> {
    let mut text = template.replace("<ns>", &inventory.namespace);
    text = text.replace("<label-key>", &inventory.label_key);
    if text.contains("<pod>") || text.contains("<label>") || text.contains("<container>") {
        let pod = choose(&inventory.pods, random)?;
        let label = format!("{}={}", inventory.label_key, pod.service);
        text = text
            .replace("<pod>", &pod.name)
            .replace("<label>", &label)
            .replace("<service-name>", &pod.service)
            .replace("<container>", choose(&pod.containers, random)?);
    }
    for (kind, names) in &inventory.names {
        let place = format!("<{kind}>");
        while let Some(position) = text.find(&place) {
            text.replace_range(position..position + place.len(), choose(names, random)?);
        }
    }
    // A kind of which there is none has no names.
    let is_filled = !text.contains('<');
    is_filled.then(|| words(&text))
}

fn choose<'a, T>(all: &'a [T], random: &mut Xoshiro256PlusPlus) -> Option<&'a T> {
    if all.is_empty() {
        return None;
    }
    all.get(random.random_range(0..all.len()))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::inventory::Pod;
    use super::*;

    #[test]
    fn quotes_keep_spaces() {
        assert_eq!(
            words("get pods  -l 'a in (b, c)'"),
            ["get", "pods", "-l", "a in (b, c)"]
        );
        assert_eq!(words("a ''"), ["a", ""]);
    }

    #[test]
    fn places_are_filled_with_what_is_there() {
        let inventory = Inventory {
            namespace: "shop".to_owned(),
            label_key: "app".to_owned(),
            pods: vec![Pod {
                name: "geo-1".to_owned(),
                service: "geo".to_owned(),
                containers: vec!["main".to_owned()],
                has_restarted: false,
            }],
            names: [("deployment".to_owned(), vec!["geo".to_owned()])].into(),
        };
        let fill = |template: &str| {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
            fill(template, &inventory, &mut random).map(|words| words.join(" "))
        };
        let cases = [
            (
                "logs <pod> -n <ns> -c <container>",
                Some("logs geo-1 -n shop -c main"),
            ),
            (
                "get pods -l <label> -L <label-key>",
                Some("get pods -l app=geo -L app"),
            ),
            (
                "describe deployment <deployment>",
                Some("describe deployment geo"),
            ),
            ("describe job <job>", None),
        ];
        for (template, expected) in cases {
            assert_eq!(fill(template).as_deref(), expected, "{template}");
        }
    }
}
