#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace sbx::image {

/// Where the files of a saved image go: one after the other, each with its size told before.
class SaveOutput {
 public:
  SaveOutput() = default;
  virtual ~SaveOutput() = default;
  SaveOutput(const SaveOutput&) = delete;
  SaveOutput& operator=(const SaveOutput&) = delete;
  SaveOutput(SaveOutput&&) = delete;
  SaveOutput& operator=(SaveOutput&&) = delete;

  virtual Result<void> begin(const std::string& path, std::uint64_t size) = 0;
  virtual Result<void> write(std::span<const std::byte> data) = 0;
  virtual Result<void> finish() = 0;

  /// A whole small file.
  Result<void> add(const std::string& path, std::string_view data);
};

/// Members of a tar, with the folders of a layout if `layout`. `fd` must outlive the output; `name` is for errors.
Result<std::unique_ptr<SaveOutput>> archive_output(int fd, const std::string& name, bool layout);
/// Files below an open directory, which has the folder blobs/sha256 afterwards.
Result<std::unique_ptr<SaveOutput>> directory_output(int dir);

}  // namespace sbx::image
