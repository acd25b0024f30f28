//! The serde types of a crate, as its source declares them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Fields, Item, ItemEnum, ItemStruct, ItemUse, Lit, Meta, Token, Type, UseTree, Visibility};

use super::Variants;

/// A type in JSON.
#[derive(Debug)]
pub(super) enum Shape {
    Text,
    Number,
    Truth,
    Optional(Box<Self>),
    List(Box<Self>),
    Map(Box<Self>),
    Tuple(Vec<Self>),
    Named(String),
}

/// A declared type.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) module: String,
    pub(super) docs: String,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Alias(Shape),
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) shape: Shape,
    /// Taken to be something when it is missing.
    pub(super) default: bool,
    /// Left out when it is nothing.
    pub(super) skipped: bool,
}

#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) body: Option<Body>,
}

/// The types that a crate exports, by their exported names; read when they are reached.
#[derive(Debug, Default)]
pub(super) struct Source {
    items: BTreeMap<String, (String, Item)>,
    /// (module, name in it) → exported name.
    exported: BTreeMap<(String, String), String>,
    declarations: BTreeMap<String, Declaration>,
    pub(super) variants: Variants,
}

impl Source {
    /// Reads the modules that `lib.rs` in `folder` exports from.
    pub(super) fn read(folder: &Path) -> Self {
        let parse = |name: &str| {
            let path = folder.join(name).with_extension("rs");
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).items
        };
        let mut source = Self::default();
        let mut open_modules = Vec::new();
        for item in parse("lib") {
            match item {
                Item::Use(item) => source.read_export(&item),
                Item::Mod(item) if matches!(item.vis, Visibility::Public(_)) => {
                    open_modules.push(item.ident.to_string());
                }
                _ => {}
            }
        }
        let modules: BTreeSet<String> = source.exported.keys().map(|(module, _)| module.clone()).collect();
        for module in modules.iter().chain(&open_modules) {
            for item in parse(module) {
                let (Item::Struct(ItemStruct { ident, vis, .. }) | Item::Enum(ItemEnum { ident, vis, .. })) = &item
                else {
                    continue;
                };
                let name = ident.to_string();
                let is_open = open_modules.contains(module) && matches!(vis, Visibility::Public(_));
                let exported = source.exported.get(&(module.clone(), name.clone())).cloned();
                if let Some(exported) = exported.or_else(|| is_open.then_some(name)) {
                    let earlier = source.items.insert(exported.clone(), (module.clone(), item));
                    assert!(earlier.is_none(), "two types are exported as {exported}");
                }
            }
        }
        source
    }

    pub(super) fn declaration(&self, name: &str) -> &Declaration {
        self.declarations.get(name).expect("what was reached was read")
    }

    /// The exported name of what `module` calls `name`.
    pub(super) fn resolve<'a>(&'a self, module: &str, name: &'a str) -> &'a str {
        self.exported.get(&(module.to_owned(), name.to_owned())).map_or(name, String::as_str)
    }

    /// The roots and every type that they are made of, a type before its parts.
    pub(super) fn reach(&mut self, roots: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for root in roots {
            self.reach_one(root, &mut found);
        }
        found
    }

    fn reach_one(&mut self, name: &str, found: &mut Vec<String>) {
        if found.iter().any(|known| known == name) {
            return;
        }
        found.push(name.to_owned());
        let (module, item) = self.items.get(name).unwrap_or_else(|| panic!("no type `{name}` is exported")).clone();
        let declaration = self.read_item(name, &module, &item);
        let mut parts = Vec::new();
        declaration.body.each_name(&mut |part| parts.push(self.resolve(&module, part).to_owned()));
        self.declarations.insert(name.to_owned(), declaration);
        for part in parts {
            self.reach_one(&part, found);
        }
    }

    /// `pub use module::{Name, Name as OtherName}` or `pub use module::Name`
    fn read_export(&mut self, item: &ItemUse) {
        let (UseTree::Path(path), Visibility::Public(_)) = (&item.tree, &item.vis) else { return };
        let trees = match &*path.tree {
            UseTree::Group(group) => group.items.iter().collect(),
            tree => Vec::from([tree]),
        };
        for tree in trees {
            let (name, exported) = match tree {
                UseTree::Name(name) => (&name.ident, &name.ident),
                UseTree::Rename(rename) => (&rename.ident, &rename.rename),
                _ => panic!("an export of lib.rs names one type of one module"),
            };
            self.exported.insert((path.ident.to_string(), name.to_string()), exported.to_string());
        }
    }

    fn read_item(&mut self, name: &str, module: &str, item: &Item) -> Declaration {
        let (body, attributes) = match item {
            Item::Struct(item) => (read_struct(&item.fields, &Serde::read(&item.attrs)), &item.attrs),
            Item::Enum(item) => {
                let serde = Serde::read(&item.attrs);
                let variants = item.variants.iter().map(|variant| self.read_variant(name, variant, &serde)).collect();
                (Body::Enum(variants), &item.attrs)
            }
            _ => unreachable!("only structs and enums were kept"),
        };
        let mut docs = read_docs(attributes);
        if Serde::read(attributes).transparent {
            // The rest of it is about the Rust type.
            docs.truncate(docs.find("\n\n").unwrap_or(docs.len()));
        }
        Declaration { module: module.to_owned(), docs, body }
    }

    fn read_variant(&mut self, parent: &str, variant: &syn::Variant, parent_serde: &Serde) -> Variant {
        let serde = Serde::read(&variant.attrs);
        let rust_name = variant.ident.to_string();
        let name = serde.rename.clone().unwrap_or_else(|| parent_serde.inflect(&rust_name));
        self.variants.insert(format!("{parent}::{rust_name}"), name.clone());
        if parent == "Event" || parent == "Effect" {
            self.variants.insert(rust_name, name.clone());
        }
        let body = match &variant.fields {
            Fields::Unit => None,
            fields => Some(read_struct(fields, &serde)),
        };
        Variant { name, docs: read_docs(&variant.attrs), body }
    }
}

impl Body {
    fn each_name(&self, see: &mut dyn FnMut(&str)) {
        match self {
            Self::Alias(shape) => shape.each_name(see),
            Self::Struct(fields) => fields.iter().for_each(|field| field.shape.each_name(see)),
            Self::Enum(variants) => {
                variants.iter().filter_map(|v| v.body.as_ref()).for_each(|body| body.each_name(see));
            }
        }
    }
}

impl Shape {
    fn each_name(&self, see: &mut dyn FnMut(&str)) {
        match self {
            Self::Text | Self::Number | Self::Truth => {}
            Self::Optional(inner) | Self::List(inner) | Self::Map(inner) => inner.each_name(see),
            Self::Tuple(parts) => parts.iter().for_each(|part| part.each_name(see)),
            Self::Named(name) => see(name),
        }
    }

    fn read(ty: &Type) -> Self {
        match ty {
            Type::Array(array) => Self::List(Box::new(Self::read(&array.elem))),
            Type::Tuple(tuple) => Self::Tuple(tuple.elems.iter().map(Self::read).collect()),
            Type::Path(path) => {
                let segment = path.path.segments.last().expect("a path has a last segment");
                let arguments = match &segment.arguments {
                    syn::PathArguments::AngleBracketed(arguments) => arguments.args.iter().collect(),
                    _ => Vec::new(),
                };
                let argument = |index: usize| match arguments.get(index) {
                    Some(syn::GenericArgument::Type(ty)) => Box::new(Self::read(ty)),
                    _ => panic!("`{}` lacks a type argument", segment.ident),
                };
                match segment.ident.to_string().as_str() {
                    "String" => Self::Text,
                    "bool" => Self::Truth,
                    "u8" | "u16" | "u32" | "u64" | "i32" | "i64" => Self::Number,
                    "Option" => Self::Optional(argument(0)),
                    "Vec" => Self::List(argument(0)),
                    "BTreeMap" => Self::Map(argument(1)),
                    name if arguments.is_empty() => Self::Named(name.to_owned()),
                    name => panic!("what is `{name}` in TypeScript?"),
                }
            }
            _ => panic!("a type that has no name has none in TypeScript either"),
        }
    }
}

fn read_struct(fields: &Fields, serde: &Serde) -> Body {
    match fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Body::Alias(Shape::read(&fields.unnamed[0].ty)),
        Fields::Unnamed(fields) => {
            Body::Alias(Shape::Tuple(fields.unnamed.iter().map(|f| Shape::read(&f.ty)).collect()))
        }
        Fields::Named(fields) => Body::Struct(fields.named.iter().map(|field| read_field(field, serde)).collect()),
        Fields::Unit => panic!("a unit struct is null in JSON: say something"),
    }
}

fn read_field(field: &syn::Field, parent: &Serde) -> Field {
    let serde = Serde::read(&field.attrs);
    let name = field.ident.as_ref().expect("the field of a struct has a name").to_string();
    Field {
        name: serde.rename.unwrap_or(name),
        docs: read_docs(&field.attrs),
        shape: Shape::read(&field.ty),
        default: serde.default || parent.default,
        skipped: serde.skipped,
    }
}

/// The serde attributes of an item.
#[derive(Debug, Default)]
struct Serde {
    rename: Option<String>,
    rename_all: Option<String>,
    default: bool,
    skipped: bool,
    transparent: bool,
}

impl Serde {
    fn read(attributes: &[Attribute]) -> Self {
        let mut serde = Self::default();
        for meta in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")).flat_map(arguments) {
            let name = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
            match name.as_str() {
                "rename" => serde.rename = Some(text(&meta)),
                "rename_all" => serde.rename_all = Some(text(&meta)),
                "default" => serde.default = true,
                "skip_serializing_if" => serde.skipped = true,
                "transparent" => serde.transparent = true,
                "deny_unknown_fields" => {}
                name => panic!("what does serde's `{name}` mean in TypeScript?"),
            }
        }
        serde
    }

    fn inflect(&self, name: &str) -> String {
        match self.rename_all.as_deref() {
            None => name.to_owned(),
            Some("UPPERCASE") => name.to_uppercase(),
            Some("snake_case") => {
                let mut result = String::new();
                for letter in name.chars() {
                    if letter.is_uppercase() && !result.is_empty() {
                        result.push('_');
                    }
                    result.extend(letter.to_lowercase());
                }
                result
            }
            Some(rule) => panic!("serde's rule `{rule}` is not known"),
        }
    }
}

fn arguments(attribute: &Attribute) -> Vec<Meta> {
    attribute
        .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .map(|arguments| arguments.into_iter().collect())
        .expect("an attribute of serde is a list")
}

fn text(meta: &Meta) -> String {
    match meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => text.value(),
                _ => panic!("an attribute's value is text"),
            },
            _ => panic!("an attribute's value is text"),
        },
        _ => panic!("an attribute has a value"),
    }
}

fn read_docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).map(|doc| text(&doc.meta));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect::<Vec<_>>().join("\n")
}
