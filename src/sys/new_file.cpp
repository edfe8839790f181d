#include "sys/new_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tuple>
#include <utility>

#include "sys/file.hpp"

namespace sbx::sys {
namespace {

constexpr mode_t kFileMode = 0666;  // as any program that writes a file: the umask decides
constexpr mode_t kDirMode = 0777;

/// What stands under the name already. True if it is to be written in place.
Result<bool> look_at(const std::string& path, NewFile::Kind kind) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    return errno == ENOENT ? Result<bool>(false) : fail(Error::system("write", path));
  }
  if (kind == NewFile::Kind::kDirectory) {
    if (!S_ISDIR(st.st_mode) || !SBX_TRY(list_dir(AT_FDCWD, path)).empty()) {
      return fail(Error::make(ErrorCode::kAlreadyExists, "make directory", path,
                              S_ISDIR(st.st_mode) ? "it is not empty" : "it is a file"));
    }
    return false;
  }
  if (S_ISDIR(st.st_mode)) {
    return fail(Error::make(ErrorCode::kAlreadyExists, "write", path, "it is a directory"));
  }
  return !S_ISREG(st.st_mode);
}

}  // namespace

Result<NewFile> NewFile::create(const std::string& path, Kind kind) {
  NewFile out(path, kind);
  while (out.path_.size() > 1 && out.path_.back() == '/') {
    out.path_.pop_back();
  }
  if (SBX_TRY(look_at(out.path_, kind))) {
    out.file_ = SBX_TRY(open_at(AT_FDCWD, path, O_WRONLY | O_NOCTTY));
    out.state_ = State::kInPlace;
    return out;
  }
  const std::size_t slash = out.path_.rfind('/');
  out.name_ = out.path_.substr(slash == std::string::npos ? 0 : slash + 1);
  const std::string parent = slash == std::string::npos ? "." : out.path_.substr(0, slash + 1);
  out.parent_ = SBX_TRY(open_at(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY));
  out.partial_ = fmt::format(".{}.sbx-partial", out.name_);
  if (kind == Kind::kFile) {
    const Result<void> opened = out.open_unnamed();
    if (opened || (opened.error().sys_errno != EOPNOTSUPP && opened.error().sys_errno != EISDIR)) {
      SBX_TRY(opened);
      return out;
    }
  }
  SBX_TRY(out.open_partial());
  return out;
}

Result<void> NewFile::open_unnamed() {
  // EISDIR: a kernel or file system that knows no O_TMPFILE takes it for O_DIRECTORY; see open(2).
  file_ = SBX_TRY(open_at(parent_.get(), ".", O_TMPFILE | O_RDWR, kFileMode));
  state_ = State::kUnnamed;
  return {};
}

Result<void> NewFile::open_partial() {
  const bool directory = kind_ == Kind::kDirectory;
  if (directory) {
    const Result<void> made = make_dir_at(parent_.get(), partial_, kDirMode);
    if (!made && made.error().code != ErrorCode::kAlreadyExists) {
      return made;
    }
  }
  const int flags = directory ? O_RDONLY | O_DIRECTORY : O_RDWR | O_CREAT;
  file_ = SBX_TRY(open_at(parent_.get(), partial_, flags | O_NOFOLLOW, kFileMode));
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Error::make(ErrorCode::kBusy, "write", path_, "another process is writing it"));
  }
  state_ = State::kPartial;
  // What a killed process left.
  if (!directory) {
    return ::ftruncate(file_.get(), 0) == 0 ? Result<void>() : fail(Error::system("write", path_));
  }
  for (const std::string& name : SBX_TRY(list_dir(file_.get(), "."))) {
    SBX_TRY(remove_tree_at(file_.get(), name));
  }
  return {};
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      kind_(other.kind_),
      state_(std::exchange(other.state_, State::kDone)),
      parent_(std::move(other.parent_)),
      name_(std::move(other.name_)),
      partial_(std::move(other.partial_)),
      file_(std::move(other.file_)) {}

NewFile::~NewFile() {
  if (state_ == State::kPartial) {
    std::ignore = remove_tree_at(parent_.get(), partial_);  // else the next one takes it over
  }
}

Result<void> NewFile::link() {
  const std::string own = fmt::format("/proc/self/fd/{}", file_.get());
  const auto link_as = [&](const std::string& name) {
    return ::linkat(AT_FDCWD, own.c_str(), parent_.get(), name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  };
  if (link_as(name_)) {
    return {};
  }
  if (errno != EEXIST) {
    return fail(Error::system("write", path_));
  }
  // link(2) replaces nothing, rename(2) does: a name of its own first. One that a killed process left is in the way.
  std::ignore = unlink_at(parent_.get(), partial_);
  if (!link_as(partial_)) {
    return fail(Error::system("write", path_));
  }
  return rename_at(parent_.get(), partial_, parent_.get(), name_);
}

Result<void> NewFile::commit() {
  const State state = std::exchange(state_, State::kDone);
  if (state == State::kInPlace || state == State::kDone) {
    return {};
  }
  Result<void> done = sync_fd(file_.get(), path_);
  if (done && state == State::kUnnamed) {
    done = link();
  } else if (done) {
    // An empty directory under the name gives way: rename(2).
    done = rename_at(parent_.get(), partial_, parent_.get(), name_);
  }
  if (!done) {
    state_ = state;
    return done;
  }
  return sync_fd(parent_.get(), path_);
}

}  // namespace sbx::sys
