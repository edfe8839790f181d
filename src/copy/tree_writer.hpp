#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "copy/receiver.hpp"
#include "layer/tar_entry.hpp"
#include "sys/fd.hpp"

namespace sbx::copy {

/// Makes the members of an archive below a directory, in any order. A directory gets its mode and times when the next member lies
/// outside of it.
class TreeWriter {
 public:
  TreeWriter(sys::Fd root, std::string name, const ReceiveOptions& options)
      : root_(std::move(root)), name_(std::move(name)), options_(options) {}

  /// Makes what `entry` says at `path`. Of a regular file it is begun, and its bytes are to be written to data() before end_file().
  Result<void> add(const layer::TarEntry& entry, const std::string& path);
  /// Invalid: no file is begun.
  [[nodiscard]] int data() const { return file_.get(); }
  [[nodiscard]] std::string file_name() const { return shown(file_path_); }
  Result<void> end_file();
  /// All directories have what they should.
  Result<void> finish();

 private:
  struct Directory {
    std::string path;
    sys::Fd fd;
    std::optional<layer::TarEntry> wanted;
  };

  Result<int> enter(std::string_view path);
  Result<void> leave_to(std::string_view path);
  Result<void> make_directory(int parent, const layer::TarEntry& entry, const std::string& path);
  Result<void> make_file(int parent, const layer::TarEntry& entry, const std::string& path);
  Result<void> make_link(int parent, const layer::TarEntry& entry, const std::string& path);
  Result<void> make_other(int parent, const layer::TarEntry& entry, const std::string& path);
  Result<bool> make_room(int parent, const std::string& path);
  Result<void> finish_fd(int fd, const layer::TarEntry& entry, const std::string& path);
  Result<void> give_owner(const FsResult<void>& given, const std::string& path);
  [[nodiscard]] mode_t mode_of(const layer::TarEntry& entry) const;
  [[nodiscard]] std::string shown(std::string_view path) const;

  sys::Fd root_;
  std::string name_;  // of the root, for errors
  ReceiveOptions options_;
  std::vector<Directory> open_;  // each in the one before
  sys::Fd file_;
  std::string file_path_;
  layer::TarEntry file_entry_;
  bool kept_in_place_ = false;
  bool told_of_owners_ = false;
};

}  // namespace sbx::copy
