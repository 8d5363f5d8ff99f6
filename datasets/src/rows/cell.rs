//! Cells: how a field of a row becomes a column, and back.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array,
    MapArray, StringArray, StructArray, TimestampMillisecondArray, TimestampNanosecondArray,
    UInt32Array, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    DataType, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMillisecondType,
    TimestampNanosecondType, UInt32Type, UInt64Type,
};

/// A value that a column can be made of.
pub(crate) trait Cell: Sized {
    /// Builds a column of the given type, which the schema pairs with this Rust type.
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, data_type: &DataType) -> ArrayRef
    where
        Self: 'a;

    /// Reads a column; none when it holds a null that this type cannot hold.
    fn read(array: &ArrayRef) -> Option<Vec<Self>>;
}

fn without_nulls<T>(array: &ArrayRef) -> Option<Vec<T>>
where
    Option<T>: Cell,
{
    Option::<T>::read(array)?.into_iter().collect()
}

impl Cell for Option<String> {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
        Arc::new(values.map(Option::as_deref).collect::<StringArray>())
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        let owned = |value: Option<&str>| value.map(str::to_owned);
        if let Some(view) = array.as_string_view_opt() {
            return Some(view.iter().map(owned).collect());
        }
        Some(array.as_string_opt::<i32>()?.iter().map(owned).collect())
    }
}

impl Cell for String {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(values))
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        without_nulls(array)
    }
}

impl Cell for Option<Vec<u8>> {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
        Arc::new(values.map(Option::as_deref).collect::<BinaryArray>())
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        let owned = |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
        if let Some(view) = array.as_binary_view_opt() {
            return Some(view.iter().map(owned).collect());
        }
        Some(array.as_binary_opt::<i32>()?.iter().map(owned).collect())
    }
}

impl Cell for Vec<u8> {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
        Arc::new(BinaryArray::from_iter_values(values))
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        without_nulls(array)
    }
}

impl Cell for bool {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
        Arc::new(values.map(|value| Some(*value)).collect::<BooleanArray>())
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        array.as_boolean_opt()?.iter().collect()
    }
}

/// Numbers whose column has one Arrow type.
macro_rules! number {
    ($type:ty, $array:ident, $arrow:ident) => {
        impl Cell for Option<$type> {
            fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
                Arc::new(values.copied().collect::<$array>())
            }

            fn read(array: &ArrayRef) -> Option<Vec<Self>> {
                Some(array.as_primitive_opt::<$arrow>()?.iter().collect())
            }
        }

        impl Cell for $type {
            fn collect<'a>(values: impl Iterator<Item = &'a Self>, _: &DataType) -> ArrayRef {
                Arc::new($array::from_iter_values(values.copied()))
            }

            fn read(array: &ArrayRef) -> Option<Vec<Self>> {
                without_nulls(array)
            }
        }
    };
}

number!(i32, Int32Array, Int32Type);
number!(u32, UInt32Array, UInt32Type);
number!(u64, UInt64Array, UInt64Type);
number!(f64, Float64Array, Float64Type);

// The field `i64` is a plain number or a time, as the schema says.
impl Cell for Option<i64> {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, data_type: &DataType) -> ArrayRef {
        let values = values.copied();
        match data_type {
            DataType::Timestamp(TimeUnit::Millisecond, zone) => Arc::new(
                values
                    .collect::<TimestampMillisecondArray>()
                    .with_timezone_opt(zone.clone()),
            ),
            DataType::Timestamp(_, zone) => Arc::new(
                values
                    .collect::<TimestampNanosecondArray>()
                    .with_timezone_opt(zone.clone()),
            ),
            _ => Arc::new(values.collect::<Int64Array>()),
        }
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        if let Some(times) = array.as_primitive_opt::<TimestampNanosecondType>() {
            return Some(times.iter().collect());
        }
        if let Some(times) = array.as_primitive_opt::<TimestampMillisecondType>() {
            return Some(times.iter().collect());
        }
        Some(array.as_primitive_opt::<Int64Type>()?.iter().collect())
    }
}

impl Cell for i64 {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, data_type: &DataType) -> ArrayRef {
        let values: Vec<Option<Self>> = values.map(|value| Some(*value)).collect();
        Option::<Self>::collect(values.iter(), data_type)
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        without_nulls(array)
    }
}

impl Cell for Vec<(String, String)> {
    fn collect<'a>(values: impl Iterator<Item = &'a Self>, data_type: &DataType) -> ArrayRef {
        let values: Vec<&Self> = values.collect();
        let DataType::Map(entries, ordered) = data_type else {
            return arrow::array::new_empty_array(data_type);
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return arrow::array::new_empty_array(data_type);
        };
        let pairs: Vec<_> = values.iter().flat_map(|labels| labels.iter()).collect();
        let keys = StringArray::from_iter_values(pairs.iter().map(|(key, _)| key));
        let texts = StringArray::from_iter_values(pairs.iter().map(|(_, value)| value));
        let pairs = StructArray::new(fields.clone(), vec![Arc::new(keys), Arc::new(texts)], None);
        let offsets = OffsetBuffer::from_lengths(values.iter().map(|labels| labels.len()));
        Arc::new(MapArray::new(
            Arc::clone(entries),
            offsets,
            pairs,
            None,
            *ordered,
        ))
    }

    fn read(array: &ArrayRef) -> Option<Vec<Self>> {
        let map = array.as_map_opt()?;
        if map.null_count() > 0 {
            return None;
        }
        let keys = String::read(map.keys())?;
        let texts = String::read(map.values())?;
        let range = |row: usize| {
            let start = usize::try_from(*map.offsets().get(row)?).ok()?;
            let end = usize::try_from(*map.offsets().get(row + 1)?).ok()?;
            let pairs = keys.get(start..end)?.iter().zip(texts.get(start..end)?);
            Some(
                pairs
                    .map(|(key, text)| (key.clone(), text.clone()))
                    .collect(),
            )
        };
        (0..map.len()).map(range).collect()
    }
}
