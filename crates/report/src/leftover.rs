//! Figures and tables of an earlier study in the same folder, which the present one does not have, are removed.

use inkling_store::Store;

use crate::ReportError;

/// Removes from `folder` the files that its `index.csv` lists and that are not `kept`, as (name, file). Only names that
/// the report itself gives are removed, each with these endings: whatever a person put there stays.
///
/// # Errors
/// The store's errors.
pub(crate) fn remove(
    store: &Store,
    folder: &str,
    endings: &[&str],
    kept: &[(&str, String)],
) -> Result<(), ReportError> {
    let index = store.reader().path().join(folder).join("index.csv");
    // A list that is not there, or that is no list, names nothing to remove.
    let Ok(mut reader) = csv::ReaderBuilder::new().flexible(true).from_path(index) else { return Ok(()) };
    let Some(column) = reader.headers().ok().and_then(|names| names.iter().position(|name| name == "file"))
    else {
        return Ok(());
    };
    for row in reader.records().filter_map(Result::ok) {
        let Some(file) = row.get(column).filter(|file| is_ours(file)) else { continue };
        if kept.iter().all(|(_, kept)| kept != file) {
            for ending in endings {
                store.remove(format!("{folder}/{file}.{ending}"))?;
            }
        }
    }
    Ok(())
}

/// Whether the report gives such names: `task3_mlp_curves`, `sweep`.
fn is_ours(file: &str) -> bool {
    if ["sweep", "sweep_test"].contains(&file) {
        return true;
    }
    let rest =
        file.strip_prefix("task").and_then(|rest| rest.strip_prefix(|digit: char| digit.is_ascii_digit()));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    rest.is_some_and(|rest| rest.starts_with('_') && rest.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_names_of_the_report_are_its_own() {
        for file in ["task1_pca_scatter", "task3_mlp_mcnemar_2"] {
            assert!(is_ours(file), "{file}");
        }
        for file in [
            "",
            "task",
            "task1",
            "taskx_a",
            "notes",
            "task1_../../study",
            "task1_a.b",
            "task1_A b",
            "/task1_a",
        ] {
            assert!(!is_ours(file), "{file}");
        }
    }

    #[test]
    fn what_left_the_study_is_removed_and_what_a_person_put_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let kept = [("a", "task1_a".to_owned())];
        remove(&store, "figures", &["svg", "png"], &kept).unwrap();
        let figures = folder.path().join("figures");
        fs::create_dir(&figures).unwrap();
        for name in
            ["task1_a.svg", "task1_b.svg", "task1_b.png", "task1_b.pdf", "task1_mine.svg", "notes.svg"]
        {
            fs::write(figures.join(name), "x").unwrap();
        }
        fs::write(folder.path().join("study.svg"), "x").unwrap();
        let list = "figure,page,file,caption\n1,2,task1_a,\"A, and more\"\n2,3,task1_b,B\n3,4,notes,C\n4,5,../study,D\nshort\n";
        fs::write(figures.join("index.csv"), list).unwrap();
        remove(&store, "figures", &["svg", "png"], &kept).unwrap();
        let mut left: Vec<String> = fs::read_dir(&figures)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["index.csv", "notes.svg", "task1_a.svg", "task1_b.pdf", "task1_mine.svg"]);
        assert!(folder.path().join("study.svg").exists());
    }
}
