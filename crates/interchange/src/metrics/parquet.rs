//! The table as a Parquet file: one row group, each column with a dictionary, without compression.

use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::column::writer::get_typed_column_writer_mut;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::{COLUMNS, MetricRow, Part};

/// The table as a Parquet file. Texts are strings, epochs are 32-bit and steps 64-bit integers; what is absent is null.
pub fn parquet(rows: &[MetricRow]) -> Vec<u8> {
    written(rows).expect("a vector takes what is written, and the columns are those of the schema")
}

fn written(rows: &[MetricRow]) -> Result<Vec<u8>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_created_by(concat!("Inkling ", env!("CARGO_PKG_VERSION")).into())
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema()?), Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    required::<ByteArrayType>(&mut group, rows, |row| ByteArray::from(row.run.as_str()))?;
    required::<ByteArrayType>(&mut group, rows, |row| ByteArray::from(row.task.as_str()))?;
    required::<ByteArrayType>(&mut group, rows, |row| ByteArray::from(row.network.as_str()))?;
    required::<ByteArrayType>(&mut group, rows, |row| ByteArray::from(row.data_set.as_str()))?;
    optional::<ByteArrayType>(&mut group, rows, |row| row.head.as_deref().map(ByteArray::from))?;
    optional::<ByteArrayType>(&mut group, rows, |row| row.part.map(Part::name).map(ByteArray::from))?;
    optional::<Int32Type>(&mut group, rows, |row| {
        row.epoch.map(|epoch| i32::try_from(epoch).unwrap_or(i32::MAX))
    })?;
    optional::<Int64Type>(&mut group, rows, |row| {
        row.step.map(|step| i64::try_from(step).unwrap_or(i64::MAX))
    })?;
    required::<ByteArrayType>(&mut group, rows, |row| ByteArray::from(row.metric.as_str()))?;
    required::<DoubleType>(&mut group, rows, |row| row.value)?;
    optional::<ByteArrayType>(&mut group, rows, |row| row.settings.as_deref().map(ByteArray::from))?;
    group.close()?;
    file.into_inner()
}

/// The columns in their order, of which `written` writes one after the other.
fn schema() -> Result<Type, ParquetError> {
    let column = |name: &&str| {
        let optional = ["head", "part", "epoch", "step", "settings"].contains(name);
        let (physical, logical) = match *name {
            "epoch" => (PhysicalType::INT32, None),
            "step" => (PhysicalType::INT64, None),
            "value" => (PhysicalType::DOUBLE, None),
            _ => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let repetition = if optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        let column = Type::primitive_type_builder(name, physical).with_repetition(repetition);
        column.with_logical_type(logical).build().map(Arc::new)
    };
    let columns = COLUMNS.iter().map(column).collect::<Result<_, _>>()?;
    Type::group_type_builder("metrics").with_fields(columns).build()
}

/// Writes the next column, in which each row has a value.
fn required<T: DataType>(
    group: &mut SerializedRowGroupWriter<Vec<u8>>,
    rows: &[MetricRow],
    value: impl Fn(&MetricRow) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = rows.iter().map(value).collect();
    write::<T>(group, &values, None)
}

/// Writes the next column, in which values may be absent.
fn optional<T: DataType>(
    group: &mut SerializedRowGroupWriter<Vec<u8>>,
    rows: &[MetricRow],
    value: impl Fn(&MetricRow) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let values: Vec<Option<T::T>> = rows.iter().map(value).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let values: Vec<T::T> = values.into_iter().flatten().collect();
    write::<T>(group, &values, Some(&levels))
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("there are more columns than the schema has".into()));
    };
    get_typed_column_writer_mut::<T>(column.untyped()).write_batch(values, levels, None)?;
    column.close()
}
