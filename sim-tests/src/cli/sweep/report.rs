//! What a sweep has seen, as JSON and as JUnit.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};
use sim_tests::origin::Origin;
use sim_tests::plan::Plan;
use sim_tests::runner::{Summary, Verdict};

use super::save::Saved;
use super::{End, Sweep};
use crate::cli::reproduce;

pub(super) struct Report<'a> {
    pub(super) sweep: &'a Sweep,
    pub(super) summary: &'a Summary,
    pub(super) saved: BTreeMap<u64, Saved>,
    pub(super) end: &'a End,
}

/// A case of a JUnit report: its name, and why it failed if it did.
struct Case {
    name: String,
    failure: Option<Failure>,
}

struct Failure {
    kind: &'static str,
    message: String,
    text: String,
}

impl Report<'_> {
    pub(super) fn json(&self) -> String {
        let (summary, seconds) = (self.summary, self.summary.took.as_secs_f64());
        let mut report = serde_json::to_value(self.sweep.origin()).unwrap_or_default();
        let seen = json!({
            "plans": summary.plans, "seconds": seconds, "plans_per_second": summary.plans as f64 / seconds.max(1e-9),
            "compared": summary.compared, "differed": summary.differed,
            "failed": summary.failed.iter().map(|verdict| self.failed(verdict)).collect::<Vec<_>>(),
            "marks": summary.marks, "unmet": summary.unmet(), "excuses": summary.excuses,
        });
        if let (Value::Object(report), Value::Object(seen)) = (&mut report, seen) {
            report.extend(seen);
        }
        format!("{report:#}\n")
    }

    fn failed(&self, verdict: &Verdict) -> Value {
        let mut failed = serde_json::to_value(verdict).unwrap_or_default();
        failed["reproduce"] = self.reproduce(verdict).into();
        failed["plan"] = self.plan(verdict).into();
        if let Some(saved) = self.saved.get(&verdict.seed) {
            failed["saved"] = serde_json::to_value(saved).unwrap_or_default();
        }
        failed
    }

    fn reproduce(&self, verdict: &Verdict) -> String {
        reproduce(&verdict.seed.to_string(), self.sweep.tier, self.sweep.profile)
    }

    /// The digest of its plan: another means that seeds draw other plans by now.
    fn plan(&self, verdict: &Verdict) -> Option<String> {
        Origin::of(&Plan::draw(verdict.seed, self.sweep.profile), self.sweep.tier).plan
    }

    /// One suite, as GitHub's and GitLab's readers want it: a case for each seed that failed or differed, one for the marks
    /// where they are required, and one for all other seeds.
    pub(super) fn junit(&self) -> String {
        let cases = self.cases();
        let failures = cases.iter().filter(|case| case.failure.is_some()).count();
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
        // Writing to a string does not fail.
        let _ = writeln!(
            xml,
            "<testsuite name=\"sim-tests\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" time=\"{:.3}\">",
            cases.len(),
            self.summary.took.as_secs_f64(),
        );
        let _ = writeln!(xml, "  <properties>");
        for (name, value) in self.properties() {
            let _ = writeln!(xml, "    <property name=\"{name}\" value=\"{}\"/>", escaped(&value));
        }
        let _ = writeln!(xml, "  </properties>");
        for Case { name, failure } in &cases {
            let _ = write!(xml, "  <testcase classname=\"sim-tests.{}\" name=\"{name}\"", self.sweep.tier);
            let _ = match failure {
                None => writeln!(xml, "/>"),
                Some(Failure { kind, message, text }) => writeln!(
                    xml,
                    "><failure type=\"{kind}\" message=\"{}\">{}</failure></testcase>",
                    escaped(message),
                    escaped(text)
                ),
            };
        }
        xml + "</testsuite>\n</testsuites>\n"
    }

    fn properties(&self) -> [(&'static str, String); 6] {
        let origin = self.sweep.origin();
        [
            ("commit", origin.commit.to_owned()),
            ("rustc", origin.rustc.to_owned()),
            ("build", origin.build.to_owned()),
            ("tier", self.sweep.tier.to_string()),
            ("plans", self.summary.plans.to_string()),
            ("marks met", self.summary.marks.len().to_string()),
        ]
    }

    fn cases(&self) -> Vec<Case> {
        let failed = self.summary.failed.iter().map(|verdict| self.case(verdict));
        let differed = self.summary.differed.iter().map(|seed| Case {
            name: format!("seed {seed}, again"),
            failure: Some(Failure {
                kind: "differed",
                message: "two runs of it were not the same".to_owned(),
                text: String::new(),
            }),
        });
        let unmet = matches!(self.end, End::Unmet).then(|| Case {
            name: "marks".to_owned(),
            failure: Some(Failure {
                kind: "unmet",
                message: "situations that no seed has met".to_owned(),
                text: self.summary.unmet().join("\n"),
            }),
        });
        let fine = self.summary.plans - self.summary.failed.len() as u64;
        let others = Case { name: format!("{fine} seeds that break no promise"), failure: None };
        failed.chain(differed).chain(unmet).chain([others]).collect()
    }

    fn case(&self, verdict: &Verdict) -> Case {
        let mut failure = Failure { kind: "", message: String::new(), text: self.reproduce(verdict) };
        if let Some(first) = verdict.violations.first() {
            failure.kind = first.oracle;
            failure.message.clone_from(&first.words);
        }
        let _ = write!(failure.text, "\nplan {}", self.plan(verdict).unwrap_or_default());
        if let Some(saved) = self.saved.get(&verdict.seed) {
            let _ = write!(failure.text, ", {} steps: {}", saved.steps, saved.plan.display());
            if let Some(trace) = &saved.trace {
                let _ = write!(failure.text, "\ntrace: {}", trace.display());
            }
            if let Some(shrunk) = &saved.shrunk {
                let _ = write!(failure.text, "\nshrunk plan, {} steps: {}", shrunk.steps, shrunk.plan.display());
            }
        }
        Case { name: format!("seed {}", verdict.seed), failure: Some(failure) }
    }
}

/// Text within XML, which has no way to write most control characters.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|it| if it.is_control() && it != '\n' { '\u{FFFD}' } else { it }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
