//! Generated invocations: options, patterns and inputs in any combination, the same in every run.

use super::invocation::Invocation;

/// What the invocations of a program are made of.
struct Recipe {
    program: &'static str,
    inputs: &'static [&'static str],
    /// Each may be there or not; words are separated by blanks.
    options: &'static [&'static str],
    /// One of each list follows.
    then: &'static [&'static [&'static str]],
}

const PATTERNS: &[&str] = &[
    "error",
    "ERROR|WARN",
    "[0-9]+",
    "^2024",
    "s$",
    "a.*b",
    "\\bGET\\b",
    "took=[0-9]*ms",
    "(a|b)+",
    "x*",
    "",
    "[[:upper:]]\\{2,\\}",
    "[[:upper:]]{2,}",
    "\\(geo\\)",
    "o{2}",
    "\\.",
    "e?r",
    "^$",
    "[^ ]*$",
    "\\<r",
    "r\\>",
    "in|info|inform",
    "Running",
    "1/1",
    "0.*m",
];

const RECIPES: &[Recipe] = &[
    Recipe {
        program: "grep",
        inputs: &["log", "pods", "words", "unicode", "tabs"],
        options: &[
            "-i", "-v", "-n", "-c", "-o", "-w", "-x", "-A1", "-B 1", "-C2", "-m2", "-H", "-h",
            "-b", "-l", "-L", "-q", "-s", "-e x",
        ],
        then: &[
            &["-E", "-G", "-F", "-E", "-P"],
            PATTERNS,
            &[
                "",
                "",
                "",
                "data/log.txt",
                "data/log.txt data/pods.txt",
                "- data/one",
                "data/missing data/log.txt",
                "-r data",
            ],
        ],
    },
    Recipe {
        program: "rg",
        inputs: &["log", "pods", "words"],
        options: &[
            "-i",
            "-v",
            "-n",
            "-c",
            "-o",
            "-w",
            "-x",
            "-A1",
            "-B1",
            "-C1",
            "-m2",
            "-F",
            "-S",
            "-N",
            "-l",
            "--no-heading",
            "-I",
            "-H",
        ],
        then: &[
            &[
                "error", "[0-9]+", "^2024", "s$", "GET|took", "a.*b", "\\d+ms", "Running", "e",
            ],
            &["-", "-", "data/log.txt"],
        ],
    },
    Recipe {
        program: "sort",
        inputs: &[
            "words", "numbers", "csv", "versions", "repeats", "pods", "months", "tabs", "space",
            "colons",
        ],
        options: &[
            "-r",
            "-n",
            "-u",
            "-f",
            "-b",
            "-s",
            "-h",
            "-V",
            "-g",
            "-M",
            "-d",
            "-i",
            "-k2",
            "-k1,1",
            "-k2,2n",
            "-k2nr",
            "-k1.2,1.3",
            "-k2,2 -k1,1r",
            "-k1b,1",
            "-k2.2b,2.3b",
            "-c",
            "-C",
        ],
        then: &[&["", "", "-t,", "-t:", "-t ", "-k3"]],
    },
    Recipe {
        program: "sed",
        inputs: &["log", "words", "tabs", "none", "repeats", "pods"],
        options: &["-n", "-s", "-n", "-E", "-r"],
        then: &[
            &[
                "p",
                "d",
                "s/a/b/",
                "s/[aeiou]/<&>/g",
                "s/\\([a-z]*\\) /[\\1]/",
                "s/o/0/2",
                "s/x*/-/g",
                "$!d",
                "1!G;h;$!d",
                "=",
                "2q",
                "3,5p",
                "/error/p",
                "/INFO/,/ERROR/p",
                "/INFO/!d",
                "2,4d",
                "1~2d",
                "0~3p",
                "/a/I,+1p",
                "2,~4p",
                "$=",
                "N;P;D",
                "N;s/\\n/ /",
                "y/abc/xyz/",
                "2i\\new",
                "$a end",
                "2c changed",
                "/a/c x",
                "2,3c x",
                "s/e/E/p",
                "s/e/E/gp",
                "s/e/E/3",
                "s/\\w\\+/\\u&/g",
                "s/.*/\\U&/",
                ":a;s/aa/a/;ta",
                ":a;N;$!ba;s/\\n/,/g",
                "/^$/d",
                "s/^[ \\t]*//",
                "s/[ \\t]*$//",
                "n;d",
                "$!N;$!D",
                "2{p;d}",
                "/a/{s/a/A/;s/e/E/}",
                "s,/,|,g",
                "s/a/\\n/",
                "x;p;x",
                "/a/s//[&]/g",
                "H;$!d;x;s/\\n/+/g",
                "1d;$d",
                "/r$/=",
                "s/\\(a\\|e\\)/_/g",
                "s/[^,]*,//2",
                "2!{s/^/# /}",
                "P;d",
                "0,/a/d",
                "s/\\bin\\b/IN/",
                "/a/b;s/^/no /",
                "G",
                "3q7",
                "z",
                "2r data/one",
                "s/a\\+/<&>/",
                "s/b\\?r/<&>/",
                "s/(a|e)+/<&>/g",
                "s/[0-9]{2}/##/",
            ],
            &[
                "",
                "",
                "",
                "data/one -",
                "data/log.txt data/one",
                "data/missing data/one",
            ],
        ],
    },
    Recipe {
        program: "uniq",
        inputs: &["repeats", "words", "numbers", "none"],
        options: &[
            "-c",
            "-d",
            "-u",
            "-i",
            "-D",
            "-f1",
            "-s1",
            "-w1",
            "-f 1 -s 1",
        ],
        then: &[&["", "-", "data/one"]],
    },
    Recipe {
        program: "cut",
        inputs: &["csv", "colons", "tabs", "pods", "log"],
        options: &[
            "-s",
            "--complement",
            "--output-delimiter=|",
            "--output-delimiter=--",
        ],
        then: &[
            &["-d,", "-d:", "-d ", "", ""],
            &[
                "-f1",
                "-f2",
                "-f1,3",
                "-f2-",
                "-f-2",
                "-f 1-2,4",
                "-c1-5",
                "-c 3-",
                "-b2,4-6",
                "-c-3,5",
                "-f3,1",
                "-f1-2,2-3",
            ],
        ],
    },
    Recipe {
        program: "tr",
        inputs: &["log", "words", "csv", "space", "repeats", "tabs"],
        options: &["-d", "-s", "-c", "-t"],
        then: &[
            &[
                "a-z",
                "[:upper:]",
                "[:lower:]",
                "a-f0-9",
                ",",
                " ",
                "\\n",
                "[:space:]",
                "[:alnum:]",
                "abc",
                "[:digit:]",
                "aeiou",
                "\\t",
                "[=a=]",
                "a-z\\n",
            ],
            &[
                "",
                "A-Z",
                "[:upper:]",
                "x",
                "\\n",
                "_",
                "[x*]",
                "xyz",
                "0-9",
                "[a*3]b",
                "[:lower:]",
            ],
        ],
    },
    Recipe {
        program: "head",
        inputs: &["log", "words", "none", "tabs"],
        options: &["-v", "-q"],
        then: &[
            &[
                "",
                "-n3",
                "-n 0",
                "-n-2",
                "-3",
                "-c5",
                "-c -4",
                "--lines=2",
                "-n +2",
                "-n100",
            ],
            &[
                "",
                "",
                "data/one",
                "data/log.txt data/one",
                "- data/one",
                "data/missing",
                "data/b",
            ],
        ],
    },
    Recipe {
        program: "tail",
        inputs: &["log", "words", "none", "tabs"],
        options: &["-v", "-q"],
        then: &[
            &[
                "",
                "-n3",
                "-n 0",
                "-n+2",
                "-n +3",
                "-3",
                "-c5",
                "-c +4",
                "--lines=2",
                "-n -2",
                "-n100",
                "-n+100",
            ],
            &[
                "",
                "",
                "data/one",
                "data/log.txt data/one",
                "- data/one",
                "data/missing",
                "data/b",
            ],
        ],
    },
    Recipe {
        program: "wc",
        inputs: &["log", "unicode", "none", "tabs", "marks"],
        options: &["-l", "-w", "-c", "-m", "-L"],
        then: &[&[
            "",
            "",
            "data/log.txt",
            "data/log.txt data/one",
            "data/one -",
            "data/missing data/one",
        ]],
    },
    Recipe {
        program: "cat",
        inputs: &["marks", "words", "tabs", "unicode", "none"],
        options: &["-n", "-b", "-s", "-A", "-E", "-T", "-v", "-e", "-t", "-u"],
        then: &[&[
            "",
            "",
            "data/one -",
            "data/one data/log.txt",
            "data/missing data/one",
            "data/b",
        ]],
    },
    Recipe {
        program: "nl",
        inputs: &["words", "repeats", "log", "none"],
        options: &[
            "-ba", "-bt", "-bn", "-w3", "-s:", "-v5", "-i2", "-nln", "-nrz",
        ],
        then: &[&["", "data/one -"]],
    },
    Recipe {
        program: "paste",
        inputs: &["words", "repeats", "tabs", "none"],
        options: &["-s", "-d,", "-d:;", "-d\\n", "-d\\0"],
        then: &[&[
            "",
            "-",
            "- -",
            "- - -",
            "data/one -",
            "data/log.txt data/one",
            "- data/patterns -",
        ]],
    },
    Recipe {
        program: "fold",
        inputs: &["long", "words", "log", "tabs", "none"],
        options: &["-s", "-b", "-w10", "-w 20", "-w1", "-40"],
        then: &[&["", "data/one"]],
    },
    Recipe {
        program: "expand",
        inputs: &["tabs", "log", "space"],
        options: &["-i", "-t4", "-t 2"],
        then: &[&["", "data/one"]],
    },
    Recipe {
        program: "column",
        inputs: &["pods", "csv", "words", "colons", "space", "tabs"],
        options: &["-s,", "-s:", "-o |", "-s :,"],
        then: &[&["-t"], &["", "data/b/notes.csv"]],
    },
    Recipe {
        program: "base64",
        inputs: &["log", "words", "base64", "broken64", "none", "unicode"],
        options: &["-d", "-w0", "-w 20", "-i"],
        then: &[&["", "", "-", "data/one"]],
    },
    Recipe {
        program: "tac",
        inputs: &["words", "tabs", "none", "log"],
        options: &[],
        then: &[&[
            "",
            "data/one",
            "data/one -",
            "data/missing",
            "data/log.txt data/one",
        ]],
    },
    Recipe {
        program: "rev",
        inputs: &["words", "tabs", "none", "unicode", "log"],
        options: &[],
        then: &[&["", "data/one", "data/missing", "data/log.txt data/one"]],
    },
    Recipe {
        program: "seq",
        inputs: &["none"],
        options: &["-w", "-s,", "-s ", "-f %03g", "-f %.2f", "-f x%gy"],
        then: &[
            &["", "1", "5", "-2", "0.5", "1.25", "10"],
            &["", "1", "2", "-1", "0.5", "0.1", "3"],
            &["3", "10", "0", "-3", "1.5", "12.5", "100"],
        ],
    },
    Recipe {
        program: "basename",
        inputs: &["none"],
        options: &["-a", "-s .txt", "-s .gz"],
        then: &[
            &[
                "a.txt",
                "/usr/bin/env",
                "a/b/c.tar.gz",
                "/",
                "//",
                "a/",
                ".txt",
                "",
            ],
            &["", "", ".txt", "x/y.txt"],
        ],
    },
    Recipe {
        program: "dirname",
        inputs: &["none"],
        options: &[],
        then: &[
            &[
                "a.txt",
                "/usr/bin/env",
                "a/b/c.tar.gz",
                "/",
                "//",
                "a/",
                ".txt",
                "a//b//",
            ],
            &["", "", ".txt", "x/y.txt"],
        ],
    },
    Recipe {
        program: "echo",
        inputs: &["none"],
        options: &["-n", "-e", "-E", "-ne", "-x"],
        then: &[
            &[
                "",
                "a b",
                "a\\tb",
                "a\\nb",
                "\\x41\\0101",
                "x\\cy",
                "\\u00e9",
                "\\e[0m",
                "-n",
                "\\q",
                "\\101",
                "tail\\",
            ],
            &["", "second"],
        ],
    },
    Recipe {
        program: "printf",
        inputs: &["none"],
        options: &["--"],
        then: &[
            &[
                "%s\\n",
                "%d\\n",
                "%5s|%-5s|\\n",
                "%05d\\n",
                "%x %o\\n",
                "%.2f\\n",
                "%e\\n",
                "%g\\n",
                "%b\\n",
                "%q\\n",
                "%s %d\\n",
                "%+d\\n",
                "%#x\\n",
                "%c\\n",
                "%%\\n",
                "%.3s\\n",
                "%5.1f|\\n",
                "%X\\n",
                "%i\\n",
                "%u\\n",
                "%*d\\n",
                "a\\tb\\n",
                "%z",
                "%-8s%s\\n",
                "% d\\n",
            ],
            &[
                "", "a", "12", "-7", "3.14159", "0x1f", "010", "a b", "it's", "100000", "1e3",
                "12abc", "\\t",
            ],
            &["", "", "b", "42", "2.5", "x y"],
        ],
    },
    Recipe {
        program: "date",
        inputs: &["none"],
        options: &["-u"],
        then: &[
            &[
                "-d @1700000000",
                "-d 2024-01-31T10:00:00Z",
                "-d 2024-02-29",
                "-d '2024-12-30 23:59:59'",
                "-d @0",
                "-d '2024-01-31 + 1 month'",
                "-d '2024-03-01 - 1 day'",
                "-d '2024-01-31T10:00:00Z 5 minutes ago'",
                "-d '2024-01-31 10:00 2 hours ago'",
                "-d 2024-01-31T10:00:00.123456789Z",
                "-d 'Jan 31 2024'",
                "-d '31 Jan 2024 10:00:00 UTC'",
                "-d '2024-01-31T10:00:00+02:00'",
                "-d @1.5",
                "-d 'Wed Jan 31 08:00:00 UTC 2024'",
                "-d '2024-01-31 10:00 yesterday'",
                "-d nonsense",
                "-d 2024-13-01",
                "-d '2021-01-03 12:30:15 next week'",
            ],
            &[
                "",
                "+%s",
                "+%F %T",
                "+%Y-%m-%dT%H:%M:%SZ",
                "-R",
                "-Is",
                "--rfc-3339=seconds",
                "+%a %A %b %B %c",
                "+%j %U %V %W %u %w %G %g",
                "+%N %3N %s.%6N",
                "+%-d %_d %e %k %l %I %p %P",
                "+%D %x %X %r %R",
                "+%C %y %q %z %:z %Z",
                "+%^a %#p %05d %%",
                "+%n%t%h",
                "-I",
            ],
        ],
    },
];

/// Every recipe's invocations.
pub(super) fn all(each: usize) -> Vec<Invocation> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut all = Vec::new();
    for recipe in RECIPES {
        for _ in 0..each {
            all.push(recipe.make(&mut random));
        }
    }
    all
}

impl Recipe {
    fn make(&self, random: &mut Random) -> Invocation {
        let mut words = vec![self.program.to_owned()];
        for _ in 0..random.below(4) {
            if !self.options.is_empty() {
                push(&mut words, random.one(self.options));
            }
        }
        for list in self.then {
            push(&mut words, random.one(list));
        }
        Invocation::new(random.one(self.inputs), words)
    }
}

/// Adds the words of an ingredient; quotes group.
fn push(words: &mut Vec<String>, ingredient: &str) {
    let mut parts = ingredient.splitn(2, ' ');
    let first = parts.next().unwrap_or_default();
    match parts.next() {
        None if first.is_empty() => {}
        Some(rest) if first.starts_with('-') && !rest.is_empty() => {
            words.push(first.to_owned());
            match rest.strip_prefix('\'') {
                Some(quoted) => words.push(quoted.trim_end_matches('\'').to_owned()),
                None => words.extend(rest.split(' ').map(str::to_owned)),
            }
        }
        Some(_) if ingredient.starts_with("data/") || ingredient.starts_with("- ") => {
            words.extend(ingredient.split(' ').map(str::to_owned));
        }
        _ => words.push(ingredient.to_owned()),
    }
}

/// Numbers that follow from each other.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn one<'a>(&mut self, list: &'a [&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}
