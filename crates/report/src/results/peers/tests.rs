//! Counts of other libraries are taken up where they are those of the study's networks, and nowhere else.

use inkling_schema::outcome::{PeerCount, PeerNetwork};
use inkling_schema::{DataSlice, PcaRun};
use inkling_store::sealed_json;

use super::*;

/// A run of this title; what it does is not asked here.
fn run(title: &str) -> PlannedRun {
    let data = DataSlice { set: "mnist".into(), train_images: title.len(), test_images: 10 };
    let spec = RunSpec::Pca(PcaRun { data, components: 1, reconstructions: vec![], pictures: 0 });
    PlannedRun::new(spec.id("0"), Task::Cnn, title, spec)
}

fn head(found: [(usize, usize); 2]) -> PeerHead {
    let found = found.map(|(correct, ties)| PeerCount { correct, ties }).to_vec();
    PeerHead { name: "class".into(), images: 10, correct: 7, found }
}

fn counts(networks: &[(&PlannedRun, [(usize, usize); 2])]) -> PeerCounts {
    let library = |name: &str| PeerLibrary { name: name.into(), version: "1".into(), backend: None };
    let network = |(run, found): &(&PlannedRun, [(usize, usize); 2])| PeerNetwork {
        run: run.id.to_string(),
        heads: vec![head(*found)],
    };
    PeerCounts {
        finished: "2026-11-28T09:00:00Z".into(),
        libraries: ["PyTorch", "Keras"].map(library).to_vec(),
        networks: networks.iter().map(network).collect(),
    }
}

fn test() -> Vec<(String, Evaluation)> {
    vec![("class".into(), Evaluation { images: 10, correct: 7, loss: 1.0 })]
}

#[test]
fn counts_are_equal_tied_or_different() {
    let [a, bc, def] = ["a", "bc", "def"].map(run);
    let networks = [(&a, test()), (&bc, test()), (&def, test())];
    let counts = counts(&[(&a, [(7, 0), (7, 0)]), (&bc, [(8, 1), (6, 0)]), (&def, [(7, 3), (9, 1)])]);
    let found = compared(&counts, &networks, &[]).unwrap();
    let [pytorch, keras] = &found.libraries[..] else { panic!("two libraries") };
    assert_eq!((found.networks, pytorch.compared, pytorch.tied, pytorch.different.len()), (3, 3, 1, 0));
    assert_eq!((keras.tied, &keras.different[..]), (0, &["cnn bc".to_owned(), "cnn def".to_owned()][..]));
    // A network that is still to be trained again counts for nothing.
    let found = compared(&counts, &networks[..2], std::slice::from_ref(&def)).unwrap();
    assert_eq!((found.networks, found.libraries[0].compared), (2, 2));
}

#[test]
fn counts_of_other_networks_are_not_taken_up() {
    let [a, bc] = ["a", "bc"].map(run);
    let networks = [(&a, test())];
    let whole = counts(&[(&a, [(7, 0), (7, 0)])]);
    assert!(compared(&whole, &networks, &[]).is_ok());
    let refused = |change: &dyn Fn(&mut PeerCounts), words: &str| {
        let mut counts = whole.clone();
        change(&mut counts);
        let reason = compared(&counts, &networks, &[]).unwrap_err();
        assert!(reason.contains(words), "{reason}");
    };
    refused(&|counts| counts.networks[0].run = bc.id.to_string(), "none of this study's networks");
    refused(&|counts| counts.networks[0].heads[0].correct = 8, "counts of `cnn a` are not those");
    refused(&|counts| counts.networks[0].heads[0].name = "item".into(), "are not those of this study");
    refused(&|counts| counts.networks[0].heads.clear(), "are not those of this study");
    refused(&|counts| counts.networks[0].heads[0].found.truncate(1), "are not whole");
    refused(&|counts| counts.networks[0].heads[0].found[0].correct = 11, "are not whole");
    refused(&|counts| counts.networks.push(counts.networks[0].clone()), "twice");
    refused(&|counts| counts.networks.clear(), "no library or no network");
    refused(&|counts| counts.finished = "yesterday".into(), "which is not a date");
    assert!(compared(&whole, &[], std::slice::from_ref(&a)).unwrap_err().contains("not finished"));
}

#[test]
fn a_file_that_was_changed_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("runs")).unwrap();
    let a = run("a");
    let whole = counts(&[(&a, [(7, 0), (7, 0)])]);
    let sealed = String::from_utf8(sealed_json(&whole)).unwrap();
    let read = |text: &str| {
        std::fs::write(folder.path().join("study.json"), "{}").unwrap();
        std::fs::write(folder.path().join(PEERS_FILE), text).unwrap();
        super::counts(&Reader::open(folder.path()).unwrap()).unwrap()
    };
    assert_eq!(read(&sealed).unwrap(), whole);
    let plain = serde_json::to_string(&whole).unwrap();
    for (text, words) in [
        (sealed.replace("\"correct\": 7", "\"correct\": 8"), "the SHA-256 of its contents"),
        (sealed[..sealed.len() / 2].to_owned(), "no document with a checksum"),
        (plain, "no document with a checksum"),
        ("[]".to_owned(), "no document with a checksum"),
    ] {
        let reason = read(&text).unwrap_err();
        assert!(reason.contains(words), "{reason}");
    }
    std::fs::remove_file(folder.path().join(PEERS_FILE)).unwrap();
    assert!(super::counts(&Reader::open(folder.path()).unwrap()).is_none());
}

/// What the script `reproduce.py` writes is what is read: its checksum is that of this text.
#[test]
fn the_seal_is_that_of_python() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("runs")).unwrap();
    std::fs::write(folder.path().join("study.json"), "{}").unwrap();
    std::fs::write(folder.path().join(PEERS_FILE), include_str!("python.json")).unwrap();
    let counts = super::counts(&Reader::open(folder.path()).unwrap()).unwrap().unwrap();
    assert_eq!(
        (counts.libraries[1].backend.as_deref(), counts.networks[0].run.as_str()),
        (Some("torch"), "é\"")
    );
}
