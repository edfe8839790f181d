#include "copy/tree_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/log.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::copy {
namespace {

namespace at = sys::at;

constexpr mode_t kImpliedMode = 0755;  // of parents that the archive does not have
constexpr mode_t kUnfinished = 0700;   // until a directory is left
constexpr mode_t kUnfinishedFile = 0600;

std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string name_of(std::string_view path) {
  return std::string(path.substr(path.find_last_of('/') + 1));  // npos + 1: the whole
}

bool lies_in(std::string_view path, std::string_view directory) {
  return directory.empty() || path == directory ||
         (path.starts_with(directory) && path[directory.size()] == '/');
}

Error failed(std::string op, const std::string& subject, Errno why) {
  return Error::system(std::move(op), subject, why.value());
}

/// The caller may not give files away, or the container does not have the id.
bool means_not_allowed(Errno why) {
  return why == Errno(EPERM) || why == Errno(EINVAL) || why == Errno(EACCES);
}

struct Times {
  timespec both[2];
};
Times times_of(const layer::TarEntry& entry) {
  return {{{0, UTIME_NOW}, {entry.mtime_sec, static_cast<long>(entry.mtime_nsec)}}};
}

}  // namespace

std::string TreeWriter::shown(std::string_view path) const {
  const bool slash = !path.empty() && !name_.ends_with('/');
  return name_ + (slash ? "/" : "") + std::string(path);
}

mode_t TreeWriter::mode_of(const layer::TarEntry& entry) const {
  const bool sticky = entry.type == layer::EntryType::kDirectory;
  return entry.mode & (options_.special ? 07777U : sticky ? 01777U : 0777U);
}

Result<void> TreeWriter::give_owner(const FsResult<void>& given, const std::string& path) {
  if (given) {
    return {};
  }
  if (!means_not_allowed(given.error())) {
    return fail(failed("change the owner of", shown(path), given.error()));
  }
  if (!std::exchange(told_of_owners_, true)) {
    log::warn("'{}' and what else belongs to others stays yours: its owner may not be given",
              printable(shown(path)));
  }
  return {};
}

Result<void> TreeWriter::finish_fd(int fd, const layer::TarEntry& entry, const std::string& path) {
  if (options_.owners) {
    SBX_TRY(give_owner(at::change_owner(fd, entry.uid, entry.gid), path));
  }
  if (const FsResult<void> changed = at::change_mode(fd, mode_of(entry)); !changed) {
    return fail(failed("change the mode of", shown(path), changed.error()));
  }
  for (const auto& [name, value] :
       options_.xattrs ? entry.xattrs : std::vector<std::pair<std::string, std::string>>()) {
    // What the file system or the container's rights do not take stays behind, as with cp -a.
    (void)at::set_xattr(fd, name.c_str(), std::as_bytes(std::span(value)));
  }
  if (const FsResult<void> set = at::set_times(fd, times_of(entry).both); !set) {
    return fail(failed("set the times of", shown(path), set.error()));
  }
  return {};
}

Result<void> TreeWriter::leave_to(std::string_view path) {
  while (!open_.empty() && !lies_in(path, open_.back().path)) {
    const Directory left = std::move(open_.back());
    open_.pop_back();
    if (left.wanted) {
      SBX_TRY(finish_fd(left.fd.get(), *left.wanted, left.path));
    }
  }
  return {};
}

/// The directory of this path, open as long as we are in it; made where it is not there.
Result<int> TreeWriter::enter(std::string_view path) {
  SBX_TRY(leave_to(path));
  for (;;) {
    const std::string_view here = open_.empty() ? std::string_view() : open_.back().path;
    const int dir = open_.empty() ? root_.get() : open_.back().fd.get();
    if (here.size() == path.size()) {
      return dir;
    }
    const std::size_t begin = here.empty() ? 0 : here.size() + 1;
    const std::string next(path.substr(0, path.find('/', begin)));
    const std::string name = next.substr(begin);
    const FsResult<void> made = at::make_dir(dir, name.c_str(), kImpliedMode);
    if (!made && made.error() != Errno(EEXIST)) {
      return fail(failed("make directory", shown(next), made.error()));
    }
    FsResult<sys::Fd> fd = at::open(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) {
      return fail(failed("write below", shown(next), fd.error()));
    }
    open_.push_back({next, std::move(fd).value(), std::nullopt});
  }
}

/// Removes what stands in the way of something that is no directory. False: it cannot go, and is to be written over.
Result<bool> TreeWriter::make_room(int parent, const std::string& path) {
  const std::string name = name_of(path);
  const FsResult<struct stat> found = at::stat(parent, name.c_str());
  if (!found) {
    return true;
  }
  if (S_ISDIR(found->st_mode)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "overwrite directory", shown(path),
                            "what is to be copied there is none"));
  }
  const FsResult<void> gone = at::unlink(parent, name.c_str());
  if (!gone && gone.error() == Errno(EBUSY) && S_ISREG(found->st_mode)) {
    return false;  // something is mounted on it, as on /etc/hosts
  }
  return gone || gone.error() == Errno(ENOENT) ? Result<bool>(true)
                                               : fail(failed("replace", shown(path), gone.error()));
}

Result<void> TreeWriter::make_directory(int parent, const layer::TarEntry& entry,
                                        const std::string& path) {
  const std::string name = name_of(path);
  const FsResult<void> made = at::make_dir(parent, name.c_str(), kUnfinished);
  if (!made && made.error() != Errno(EEXIST)) {
    return fail(failed("make directory", shown(path), made.error()));
  }
  FsResult<sys::Fd> fd = at::open(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd) {
    return fail(fd.error() == Errno(ENOTDIR) || fd.error() == Errno(ELOOP)
                    ? Error::make(ErrorCode::kInvalidArgument, "overwrite", shown(path),
                                  "it is no directory, and what is to be copied there is one")
                    : failed("open directory", shown(path), fd.error()));
  }
  open_.push_back({path, std::move(fd).value(), entry});
  return {};
}

Result<void> TreeWriter::make_file(int parent, const layer::TarEntry& entry,
                                   const std::string& path) {
  kept_in_place_ = !SBX_TRY(make_room(parent, path));
  const int flags =
      O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | (kept_in_place_ ? O_TRUNC : O_CREAT | O_EXCL);
  FsResult<sys::Fd> fd = at::open(parent, name_of(path).c_str(), flags, kUnfinishedFile);
  if (!fd) {
    return fail(failed("write", shown(path), fd.error()));
  }
  file_ = std::move(fd).value();
  file_path_ = path;
  file_entry_ = entry;
  return {};
}

Result<void> TreeWriter::end_file() {
  const sys::Fd file = std::move(file_);
  if (file_entry_.sparse) {
    if (const FsResult<void> cut = at::truncate(file.get(), file_entry_.size); !cut) {
      return fail(failed("write", shown(file_path_), cut.error()));
    }
  }
  return kept_in_place_ ? Result<void>() : finish_fd(file.get(), file_entry_, file_path_);
}

Result<void> TreeWriter::make_link(int parent, const layer::TarEntry& entry,
                                   const std::string& path) {
  if (!SBX_TRY(make_room(parent, path))) {
    return fail(failed("replace", shown(path), Errno(EBUSY)));
  }
  const std::string above(parent_of(entry.link));
  const FsResult<sys::Fd> dir =
      at::open_beneath(root_.get(), above.empty() ? "." : above.c_str(), O_PATH | O_DIRECTORY);
  const FsResult<void> linked =
      dir ? at::link(dir->get(), name_of(entry.link).c_str(), parent, name_of(path).c_str())
          : FsResult<void>(fail(dir.error()));
  return linked
             ? Result<void>()
             : fail(failed("link '" + printable(entry.link) + "' to", shown(path), linked.error()));
}

Result<void> TreeWriter::make_other(int parent, const layer::TarEntry& entry,
                                    const std::string& path) {
  const std::string name = name_of(path);
  const bool device =
      entry.type == layer::EntryType::kCharDevice || entry.type == layer::EntryType::kBlockDevice;
  // Device 0:0 is how overlays say that there is nothing.
  if (device && (!options_.special || entry.rdev == 0)) {
    log::warn("'{}' is a device and is left out", printable(shown(path)));
    return {};
  }
  if (!SBX_TRY(make_room(parent, path))) {
    return fail(failed("replace", shown(path), Errno(EBUSY)));
  }
  const mode_t type = entry.type == layer::EntryType::kFifo         ? S_IFIFO
                      : entry.type == layer::EntryType::kCharDevice ? S_IFCHR
                                                                    : S_IFBLK;
  const bool symlink = entry.type == layer::EntryType::kSymlink;
  const FsResult<void> made =
      symlink ? at::symlink(entry.link.c_str(), parent, name.c_str())
              : at::make_node(parent, name.c_str(), type | kUnfinishedFile, entry.rdev);
  if (!made && device && made.error() == Errno(EPERM)) {
    log::warn("'{}' is a device, which cannot be made here, and is left out",
              printable(shown(path)));
    return {};
  }
  if (!made) {
    return fail(failed("make", shown(path), made.error()));
  }
  if (options_.owners) {
    SBX_TRY(give_owner(at::change_owner(parent, name.c_str(), entry.uid, entry.gid), path));
  }
  if (!symlink) {
    // Just made by us, and no symlink; who could exchange it may change its mode as well.
    (void)at::change_mode(parent, name.c_str(), mode_of(entry));
  }
  (void)at::set_times(parent, name.c_str(), times_of(entry).both);
  return {};
}

Result<void> TreeWriter::add(const layer::TarEntry& entry, const std::string& path) {
  if (path.empty()) {
    return {};  // the root: it was there before
  }
  const int parent = SBX_TRY(enter(parent_of(path)));
  switch (entry.type) {
    case layer::EntryType::kDirectory:
      return make_directory(parent, entry, path);
    case layer::EntryType::kRegular:
      return make_file(parent, entry, path);
    case layer::EntryType::kHardLink:
      return make_link(parent, entry, path);
    case layer::EntryType::kSymlink:
    case layer::EntryType::kCharDevice:
    case layer::EntryType::kBlockDevice:
    case layer::EntryType::kFifo:
    case layer::EntryType::kSocket:
      return make_other(parent, entry, path);
  }
  return {};
}

Result<void> TreeWriter::finish() {
  while (!open_.empty()) {
    const Directory left = std::move(open_.back());
    open_.pop_back();
    if (left.wanted) {
      SBX_TRY(finish_fd(left.fd.get(), *left.wanted, left.path));
    }
  }
  return {};
}

}  // namespace sbx::copy
