//! What `items`, `keys` and `values` of a dict give: no lists, which shows where they are printed.

use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object, ObjectExt, ObjectRepr, Tuple, Value};

/// What a view shows of a mapping.
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    Items,
    Keys,
    Values,
}

/// A view of a mapping.
#[derive(Debug)]
pub struct View {
    mapping: DynObject,
    shown: Shown,
}

impl View {
    /// The view that a method of dicts gives; none for any other method, or for what is no mapping.
    pub fn of(value: &Value, method: &str) -> Option<Self> {
        let mapping = value.as_object().filter(|object| object.repr() == ObjectRepr::Map)?.clone();
        let shown = match method {
            "items" => Shown::Items,
            "keys" => Shown::Keys,
            "values" => Shown::Values,
            _ => return None,
        };
        Some(Self { mapping, shown })
    }

    /// Its name in Python.
    pub fn type_name(&self) -> &'static str {
        match self.shown {
            Shown::Items => "dict_items",
            Shown::Keys => "dict_keys",
            Shown::Values => "dict_values",
        }
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|view| match (view.mapping.try_iter_pairs(), view.shown) {
            (Some(pairs), Shown::Items) => Box::new(pairs.map(|(key, value)| Value::from(Tuple::from([key, value])))),
            (Some(pairs), Shown::Keys) => Box::new(pairs.map(|(key, _)| key)),
            (Some(pairs), Shown::Values) => Box::new(pairs.map(|(_, value)| value)),
            (None, _) => Box::new(std::iter::empty()),
        })
    }
}
