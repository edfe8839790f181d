#pragma once

#include <string>

#include "base/result.hpp"
#include "sys/fd.hpp"

namespace sbx::sys {

/// A file or directory that appears under its name when it is complete, or never. Until commit() a file has no name at all
/// (O_TMPFILE; see open(2)), so that nothing is left of a process that is killed; where the file system has no such
/// files, and for directories, it is "DIR/.NAME.sbx-partial", held by flock(2), which the next one for the same name takes over.
class NewFile {
 public:
  enum class Kind { kFile, kDirectory };

  /// `path` may exist if it is a file of its own: commit() replaces it. What is neither file nor directory (a pipe,
  /// /dev/null) is opened and written in place. A directory must not exist, or be empty. kBusy if somebody else is writing
  /// the same name; kAlreadyExists.
  static Result<NewFile> create(const std::string& path, Kind kind);
  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  /// Open for reading and writing; a directory: to make files in.
  [[nodiscard]] int fd() const { return file_.get(); }
  /// Synced, and then under its name.
  Result<void> commit();

 private:
  enum class State { kUnnamed, kPartial, kInPlace, kDone };

  NewFile(std::string path, Kind kind) : path_(std::move(path)), kind_(kind) {}
  Result<void> open_unnamed();
  Result<void> open_partial();
  Result<void> link();

  std::string path_;
  Kind kind_;
  State state_ = State::kDone;
  Fd parent_;
  std::string name_;     // in parent_
  std::string partial_;  // in parent_
  Fd file_;
};

}  // namespace sbx::sys
