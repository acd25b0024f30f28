//! The machines, as the source declares them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Fields, GenericArgument, Item, ItemEnum, Lit, Meta, PathArguments, Type};

use super::list::{self, Line};
use super::{Machine, State, Transition};

/// The door before all machines: it has no states of its own.
const DOOR: &str = "Flow";

/// Every machine in the sources below `folder`.
///
/// # Panics
/// When a machine has no list, or its list does not name its states.
pub(super) fn read(folder: &Path) -> BTreeMap<String, Machine> {
    let mut files = Vec::new();
    sources(folder, &mut files);
    let mut machines = BTreeMap::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let items = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).items;
        let file = path.strip_prefix(folder).expect("it lies in the folder").to_string_lossy().replace('\\', "/");
        for name in items.iter().filter_map(machine).filter(|name| name != DOOR && !is_never_under_way(name, &items)) {
            let earlier = machines.insert(name.clone(), read_machine(&name, file.clone(), &items));
            assert!(earlier.is_none(), "two machines are called {name}");
        }
    }
    let names: Vec<String> = machines.keys().cloned().collect();
    for machine in machines.values_mut() {
        for state in &mut machine.states {
            state.runs = state.runs.take().filter(|name| names.contains(name));
        }
    }
    machines
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The type of an `impl Machine for …`.
fn machine(item: &Item) -> Option<String> {
    let Item::Impl(item) = item else { return None };
    let (_, implemented, _) = item.trait_.as_ref()?;
    if implemented.segments.last()?.ident != "Machine" {
        return None;
    }
    type_name(&item.self_ty)
}

/// Whether a machine ends as it begins: it has no state to be in.
fn is_never_under_way(name: &str, items: &[Item]) -> bool {
    items.iter().any(|item| matches!(item, Item::Enum(item) if item.ident == name && item.variants.is_empty()))
}

fn read_machine(name: &str, file: String, items: &[Item]) -> Machine {
    let (documentation, states) = declared(name, items);
    let (about, lines) = list::read(&documentation);
    assert!(!lines.is_empty(), "{name} has no list of its transitions");
    let listed: Vec<&str> = lines.iter().map(|line| &*line.state).collect();
    let states = match states {
        Some(states) => {
            let names: Vec<&str> = states.iter().map(|(name, _)| &**name).collect();
            for name_of_state in &names {
                assert!(listed.contains(name_of_state), "the list of {name} lacks {name_of_state}");
            }
            for name_of_state in &listed {
                assert!(names.contains(name_of_state), "{name} has no state {name_of_state}");
            }
            states
        }
        None => lines.iter().map(|line| (line.state.clone(), None)).collect(),
    };
    let runs = |state: &str| states.iter().find(|(known, _)| known == state).and_then(|(_, runs)| runs.clone());
    Machine {
        title: in_words(name),
        file,
        about,
        states: listed.iter().map(|&state| State { name: state.to_owned(), runs: runs(state) }).collect(),
        transitions: lines.into_iter().flat_map(|Line { transitions, .. }| transitions).collect::<Vec<Transition>>(),
    }
}

/// A state by its name, and what may run inside it.
type Declared = (String, Option<String>);

/// The documentation of a machine, and its states where it has several, with what may run inside each.
fn declared(name: &str, items: &[Item]) -> (String, Option<Vec<Declared>>) {
    let enum_called = |wanted: &str| {
        items.iter().find_map(|item| match item {
            Item::Enum(item) if item.ident == wanted => Some(item),
            _ => None,
        })
    };
    if let Some(item) = enum_called(name) {
        return (documentation(&item.attrs), Some(variants(item)));
    }
    let item = items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == name => Some(item),
        _ => None,
    });
    let item = item.unwrap_or_else(|| panic!("{name} is declared in another file than it is a machine in"));
    let has_state = item.fields.iter().any(|field| field.ident.as_ref().is_some_and(|name| name == "state"));
    (documentation(&item.attrs), has_state.then(|| enum_called("State").map(variants)).flatten())
}

/// Each variant, and the type in it that could be a machine: that of its `step`, or of what it holds alone.
fn variants(item: &ItemEnum) -> Vec<Declared> {
    let inside = |fields: &Fields| match fields {
        Fields::Named(fields) => fields
            .named
            .iter()
            .find(|field| field.ident.as_ref().is_some_and(|name| name == "step"))
            .and_then(|field| type_name(&field.ty)),
        Fields::Unnamed(fields) => fields.unnamed.first().and_then(|field| type_name(&field.ty)),
        Fields::Unit => None,
    };
    item.variants.iter().map(|variant| (variant.ident.to_string(), inside(&variant.fields))).collect()
}

/// The name of a type, or of what a `Box` holds.
fn type_name(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if last.ident == "Box" => match arguments.args.first()? {
            GenericArgument::Type(inner) => type_name(inner),
            _ => None,
        },
        _ => Some(last.ident.to_string()),
    }
}

fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// `BrowserLogin` is a browser login.
fn in_words(name: &str) -> String {
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
