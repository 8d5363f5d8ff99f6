//! An answer as a Parquet file.

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::QueryAnswer;
use crate::error::{ReplayError, Result};

impl QueryAnswer {
    /// Encodes the answer as a Parquet file.
    pub fn to_parquet(&self) -> Result<Vec<u8>> {
        let failed = |cause: parquet::errors::ParquetError| ReplayError::Query {
            cause: format!("the answer can't be written as parquet: {cause}"),
            hint: "cast the columns to plain types".to_owned(),
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by("aiopslab".to_owned())
            .build();
        let mut out = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut out, self.schema.clone(), Some(properties))
            .map_err(failed)?;
        for batch in &self.batches {
            writer.write(batch).map_err(failed)?;
        }
        writer.close().map_err(failed)?;
        Ok(out)
    }
}
