#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::image {

/// A range of a file's bytes.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// What sbx wants of a SIF, the image file of apptainer and singularity.
struct Sif {
  FileRange root;            // the primary partition: a squashfs
  std::string architecture;  // in Go's words; empty if it does not say
  FileRange
      oci_config;  // "oci-config.json" of an image that was made from an OCI image; size 0: none
};

/// Whether an open file begins as a SIF does.
[[nodiscard]] bool is_sif(int fd);

/// Reads the header and the descriptors. All ranges lie in the file. kCorrupt, kLimit; kUnsupported for what has no squashfs as its
/// primary partition: encrypted, ext3, OCI-SIF.
Result<Sif> read_sif(int fd, std::uint64_t file_size, std::string_view name);

}  // namespace sbx::image
