#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace sbx::runtime {

// Files outside of the store that sbx-transfer reads or writes: sbx opens them, and the confined sbx-transfer gets the
// descriptor alone.

struct LoadArchive {
  std::string data_root;
  std::string input;     // empty: standard input
  std::string platform;  // empty: this machine's
  std::string tag;       // empty: the names that the archive has
};
/// `sbx-transfer load --archive`. The manifest digests of the images in the store. kInvalidArgument if it is a terminal.
Result<std::vector<std::string>> load_archive(const LoadArchive& load);

struct SaveArchive {
  std::string data_root;
  std::vector<std::string> additional_stores;
  std::vector<std::string> images;
  std::string output;    // empty: standard output
  std::string format;    // oci-archive, oci-dir, docker-archive, sqsh
  std::string compress;  // none, gzip, zstd; empty: as the format has it
};
/// `sbx-transfer save`. A file appears when it is complete, or never. kInvalidArgument for a terminal, and for a
/// directory on standard output.
Result<void> save_archive(const SaveArchive& save);

struct ExportArchive {
  std::string data_root;
  std::vector<std::string> additional_stores;
  std::string container;  // name, id or its beginning
  std::string output;     // empty: standard output
};
/// `sbx-transfer export`. kBusy for a container that runs, kUnsupported for one that has no image below. A file appears when it is
/// complete, or never.
Result<void> export_archive(const ExportArchive& request);

struct ImportArchive {
  std::string data_root;
  std::string input;     // empty: standard input
  std::string name;      // empty: none
  std::string platform;  // empty: this machine's
  std::string message;
  std::vector<std::string> changes;
};
/// `sbx-transfer import`. The manifest digest of the image in the store.
Result<std::string> import_archive(const ImportArchive& import);

}  // namespace sbx::runtime
