#include "copy/sender.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/log.hpp"
#include "layer/limits.hpp"
#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::copy {
namespace {

constexpr int kReadFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

Result<struct stat> look(int dir, const std::string& name, const std::string& path) {
  const FsResult<struct stat> st = sys::at::stat(dir, name.c_str());
  return st ? Result<struct stat>(*st) : fail(Error::system("read", path, st.error().value()));
}

/// What a tree of files is taken with it. Marks of overlays and the like are their file systems' own.
bool is_taken(std::string_view name) {
  return name.starts_with("user.") || name == "security.capability" ||
         name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

layer::ArchiveMember member_of(const struct stat& st, std::string path) {
  layer::ArchiveMember member;
  member.path = std::move(path);
  member.mode = st.st_mode;
  member.uid = st.st_uid;
  member.gid = st.st_gid;
  member.mtime = st.st_mtim;
  member.size = S_ISREG(st.st_mode) ? static_cast<std::uint64_t>(st.st_size) : 0;
  member.rdev = st.st_rdev;
  return member;
}

}  // namespace

Result<void> FileSender::add_xattrs(int fd, layer::ArchiveMember& member) const {
  std::string names(layer::kMaxXattrValue, '\0');
  const FsResult<std::size_t> size = sys::at::list_xattr(fd, names);
  names.resize(size ? *size : 0);  // a file system without any, or more than a layer may have
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!is_taken(name)) {
      continue;
    }
    std::string value(layer::kMaxXattrValue, '\0');
    const FsResult<std::size_t> got =
        sys::at::get_xattr(fd, name.c_str(), std::as_writable_bytes(std::span(value)));
    if (got) {
      value.resize(*got);
      member.xattrs.emplace_back(name, std::move(value));
    } else if (got.error() != Errno(ENODATA)) {
      return fail(Error::system("read attribute " + printable(name) + " of", member.path,
                                got.error().value()));
    }
  }
  return {};
}

Result<void> FileSender::send_data(int fd, std::uint64_t size, const std::string& path) {
  const std::uint64_t sent = SBX_TRY(archive_.write_from(fd, size, path));
  if (sent < size) {
    log::warn("'{}' became shorter while it was read: filled up with zeros", printable(path));
    SBX_TRY(archive_.fill());
  }
  return {};
}

Result<sys::Fd> FileSender::send(int dir, const std::string& name, const std::string& member_path,
                                 const std::function<void(layer::ArchiveMember&)>& change) {
  struct stat st = SBX_TRY(look(dir, name, member_path));
  if (S_ISSOCK(st.st_mode)) {
    log::warn("'{}' is a socket and is left out", printable(member_path));
    return sys::Fd();
  }
  sys::Fd file;
  if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
    file = SBX_TRY(sys::open_at(dir, name, kReadFlags));
    const mode_t type = st.st_mode & S_IFMT;
    st = SBX_TRY(sys::stat_fd(file.get(), member_path));
    if ((st.st_mode & S_IFMT) != type) {
      return fail(Error::make(ErrorCode::kBusy, "read", member_path, "it is being replaced"));
    }
  }
  layer::ArchiveMember member = member_of(st, member_path + (S_ISDIR(st.st_mode) ? "/" : ""));
  if (S_ISLNK(st.st_mode)) {
    member.symlink = SBX_TRY(sys::read_link_at(dir, name));
  }
  if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
    const auto [first, is_new] = first_names_.try_emplace({st.st_dev, st.st_ino}, member_path);
    if (!is_new) {
      member.hard_link = first->second;
      member.size = 0;
    }
  }
  if (xattrs_ && file && member.hard_link.empty()) {
    SBX_TRY(add_xattrs(file.get(), member));
  }
  if (change) {
    change(member);
  }
  SBX_TRY(archive_.begin(member));
  if (member.size != 0) {
    SBX_TRY(send_data(file.get(), member.size, member.path));
  }
  return S_ISDIR(st.st_mode) ? std::move(file) : sys::Fd();
}

namespace {

/// A directory, and how far its entries have been sent.
struct OpenDirectory {
  sys::Fd fd;
  std::string path;  // in the archive
  std::vector<std::string> names;
  std::size_t next = 0;
};

class TreeSender {
 public:
  TreeSender(const SendOptions& options, layer::TarWriter& archive)
      : options_(options), files_(archive, options.xattrs) {}

  Result<void> run(int dir, const std::string& name, const std::string& path) {
    if (options_.bare && path == ".") {
      SBX_TRY(enter(SBX_TRY(sys::open_at(dir, name, kReadFlags | O_DIRECTORY)), ""));
    } else {
      SBX_TRY(add(dir, name, path, true));
    }
    while (!open_.empty()) {
      OpenDirectory& directory = open_.back();
      if (directory.next == directory.names.size()) {
        open_.pop_back();
        continue;
      }
      const std::string next = directory.names[directory.next++];
      const std::string next_path = directory.path.empty() ? next : directory.path + "/" + next;
      SBX_TRY(add(directory.fd.get(), next, next_path, false));
    }
    return {};
  }

 private:
  Result<void> add(int dir, const std::string& name, const std::string& path, bool named) {
    Result<sys::Fd> sent = files_.send(dir, name, path);
    if (!sent && sent.error().sys_errno == ENOENT && !named) {
      return {};  // removed since the directory was read
    }
    sys::Fd fd = SBX_TRY(std::move(sent));
    if (!fd) {
      return {};
    }
    const struct stat st = SBX_TRY(sys::stat_fd(fd.get(), path));
    const auto& out = options_.left_out;
    if (!named && std::find(out.begin(), out.end(), std::pair(st.st_dev, st.st_ino)) != out.end()) {
      return {};
    }
    return enter(std::move(fd), path);
  }

  Result<void> enter(sys::Fd fd, const std::string& path) {
    if (open_.size() >= layer::kMaxDepth) {
      return fail(Error::make(ErrorCode::kLimit, "read", path, "directories lie too deep"));
    }
    std::vector<std::string> names = SBX_TRY(sys::list_dir(fd.get(), "."));
    std::sort(names.begin(), names.end());
    open_.push_back({std::move(fd), path, std::move(names)});
    return {};
  }

  const SendOptions& options_;
  FileSender files_;
  std::vector<OpenDirectory> open_;
};

}  // namespace

Result<void> send_path(const Anchor& anchor, const std::string& path, const SendOptions& options,
                       layer::TarWriter& archive) {
  const std::string name = base_name(path);
  // What is followed is opened as it is named, and sent under that name.
  if (options.follow || names_directory(path)) {
    const Result<sys::Fd> found = anchor.open(path, O_PATH);
    if (!found) {
      return fail(Error::system("copy", path, found.error().sys_errno));
    }
    const sys::Fd& target = *found;
    const struct stat st = SBX_TRY(sys::stat_fd(target.get(), path));
    if (S_ISDIR(st.st_mode)) {
      return TreeSender(options, archive).run(target.get(), ".", name);
    }
    if (names_directory(path)) {
      return fail(Error::system("copy", path, ENOTDIR));
    }
    const Place place = SBX_TRY(find_place(anchor, path));
    return TreeSender(options, archive).run(place.dir.get(), place.name, name);
  }
  const std::size_t slash = path.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Result<sys::Fd> dir = anchor.open(parent, O_PATH | O_DIRECTORY);
  if (!dir || !sys::exists_at(dir->get(), name)) {
    return fail(Error::system("copy", path, dir ? ENOENT : dir.error().sys_errno));
  }
  return TreeSender(options, archive).run(dir->get(), name, name);
}

}  // namespace sbx::copy
