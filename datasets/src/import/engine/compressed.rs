//! Files as they are, or compressed: gzip, zstd, and zstd as the OpenTelemetry collector writes it.
//!
//! The collector's file exporter with `compression: zstd` puts its length, 4 bytes big-endian, before each
//! compressed document (<https://github.com/open-telemetry/opentelemetry-collector-contrib>, `exporter/fileexporter/README.md`).

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::source::LONGEST_DOCUMENT;

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
const BUFFER: usize = 1 << 16;

/// The text of a file, and whether it was compressed, which its first bytes tell.
pub(super) fn open<'a>(file: impl Read + 'a) -> io::Result<(Box<dyn BufRead + 'a>, bool)> {
    let mut input = BufReader::with_capacity(BUFFER, file);
    let head = input.fill_buf()?;
    let is_framed = head.get(4..8) == Some(ZSTD);
    if head.starts_with(GZIP) {
        return Ok((buffered(MultiGzDecoder::new(input)), true));
    }
    if head.starts_with(ZSTD) {
        return Ok((buffered(zstd::Decoder::with_buffer(input)?), true));
    }
    match is_framed {
        true => Ok((buffered(Framed::new(input)), true)),
        false => Ok((Box::new(input), false)),
    }
}

fn buffered<'a>(decoder: impl Read + 'a) -> Box<dyn BufRead + 'a> {
    Box::new(BufReader::with_capacity(BUFFER, decoder))
}

/// Documents with their lengths before them, as lines.
struct Framed<R> {
    input: R,
    line: Vec<u8>,
    at: usize,
}

impl<R: Read> Framed<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            line: Vec::new(),
            at: 0,
        }
    }

    /// Unpacks the next document; false: there is none.
    fn next(&mut self) -> io::Result<bool> {
        let mut length = Vec::new();
        self.input.by_ref().take(4).read_to_end(&mut length)?;
        if length.is_empty() {
            return Ok(false);
        }
        let length: [u8; 4] = length
            .try_into()
            .map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let mut packed = Vec::new();
        let length = u64::from(u32::from_be_bytes(length));
        // A length that is no length costs no memory.
        let read = self.input.by_ref().take(length).read_to_end(&mut packed)?;
        if (read as u64) < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.line.clear();
        self.at = 0;
        zstd::Decoder::with_buffer(packed.as_slice())?
            .take(LONGEST_DOCUMENT as u64 + 1)
            .read_to_end(&mut self.line)?;
        self.line.push(b'\n');
        Ok(true)
    }
}

impl<R: Read> Read for Framed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() && !self.next()? {
            return Ok(0);
        }
        let rest = self.line.get(self.at..).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..read), rest.get(..read)) {
            to.copy_from_slice(from);
        }
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: &[u8]) -> (io::Result<String>, bool) {
        let (mut input, is_packed) = open(bytes).unwrap();
        let mut text = String::new();
        let result = input.read_to_string(&mut text);
        (result.map(|_| text), is_packed)
    }

    #[test]
    fn first_bytes_tell_how_a_file_is_packed() {
        let text = "one\ntwo\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
        let framed: Vec<u8> = ["one", "two"]
            .iter()
            .flat_map(|line| {
                let packed = zstd(line);
                let length = u32::try_from(packed.len()).unwrap().to_be_bytes();
                [length.to_vec(), packed].concat()
            })
            .collect();
        assert_eq!(read(text.as_bytes()).0.unwrap(), text);
        assert_eq!(read(b"").0.unwrap(), "");
        for packed in [gzip, zstd(text), framed] {
            let (whole, is_packed) = read(&packed);
            assert_eq!((whole.unwrap().as_str(), is_packed), (text, true));
            let torn = &packed[..packed.len() - 5];
            assert!(read(torn).0.is_err());
        }
        let twice = [zstd("one\n"), zstd("two\n")].concat();
        assert_eq!(read(&twice).0.unwrap(), text);
    }
}
