#include "runtime/tree_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/log.hpp"
#include "sys/at.hpp"

namespace sbx::runtime {
namespace {

using overlay::Attr;
using overlay::Lower;
using overlay::LowerPin;
using overlay::LowerRef;

// Each directory on the way is open: well below the usual limit of 1,024 descriptors, and far deeper than people nest.
constexpr unsigned kMaxDepth = 500;
// As the kernel's MAXSYMLINKS.
constexpr unsigned kMaxLinks = 40;

class Names final : public overlay::EntrySink {
 public:
  bool take(std::uint64_t, std::string_view name, std::uint64_t, std::uint32_t) override {
    names.emplace_back(name);
    return true;
  }
  std::vector<std::string> names;
};

class Copier {
 public:
  Copier(Lower& tree, int to, CopiedOwners owners) : tree_(tree), root_(to), owners_(owners) {}

  Result<void> copy(LowerRef from) {
    SBX_TRY(copy_children(from, root_, "", 0));
    return finish(from, root_, ".", SBX_TRY(attr_of(from, ".")));
  }

 private:
  static Error error(const std::string& path, Errno why) {
    return Error::system("copy from the image", path, why.value());
  }

  template <class T>
  static Result<T> check(FsResult<T> result, const std::string& path) {
    if (!result) {
      return fail(error(path, result.error()));
    }
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return std::move(result).value();
    }
  }

  Result<Attr> attr_of(LowerRef ref, const std::string& path) {
    return check(tree_.attr(ref), path);
  }

  Result<void> copy_children(LowerRef from, int to, const std::string& path, unsigned depth) {
    if (depth > kMaxDepth) {
      return fail(Error::make(ErrorCode::kLimit, "copy from the image", path,
                              fmt::format("directories lie more than {} deep", kMaxDepth)));
    }
    Names found;
    SBX_TRY(check(tree_.list(from, 0, found), path));
    for (const std::string& name : found.names) {
      const std::string below = path.empty() ? name : path + "/" + name;
      if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        return fail(error(below, Errno(EINVAL)));
      }
      const LowerPin pin = SBX_TRY(check(tree_.lookup(from, name), below));
      SBX_TRY(copy_one(pin.ref(), to, name, below, depth));
    }
    return {};
  }

  Result<void> copy_one(LowerRef ref, int to, const std::string& name, const std::string& path,
                        unsigned depth) {
    const Attr attr = SBX_TRY(attr_of(ref, path));
    if (S_ISDIR(attr.mode)) {
      if (!directories_.insert(attr.ino).second) {
        return fail(Error::make(ErrorCode::kCorrupt, "copy from the image", path,
                                "it is a directory of more than one name"));
      }
      SBX_TRY(check(sys::at::make_dir(to, name.c_str(), S_IRWXU), path));
      const sys::Fd dir = SBX_TRY(
          check(sys::at::open(to, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path));
      SBX_TRY(copy_children(ref, dir.get(), path, depth + 1));
      return finish(ref, dir.get(), path, attr);
    }
    if (S_ISCHR(attr.mode) || S_ISBLK(attr.mode)) {
      log::warn("the volume gets no device '{}', which no ordinary user may make, ignoring",
                printable(path));
      return {};
    }
    if (attr.nlink > 1) {
      if (const auto first = links_.find(attr.ino); first != links_.end()) {
        return check(sys::at::link(root_, first->second.c_str(), to, name.c_str()), path);
      }
      links_.emplace(attr.ino, path);
    }
    return S_ISREG(attr.mode) ? copy_file(ref, to, name, path, attr)
                              : copy_special(ref, to, name, path, attr);
  }

  Result<void> copy_file(LowerRef ref, int to, const std::string& name, const std::string& path,
                         const Attr& attr) {
    const sys::Fd file = SBX_TRY(check(
        sys::at::open(to, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, S_IRUSR | S_IWUSR),
        path));
    SBX_TRY(check(sys::at::truncate(file.get(), attr.size), path));
    SBX_TRY(check(tree_.copy_data(ref, file.get(), attr.size), path));
    return finish(ref, file.get(), path, attr);
  }

  /// A symbolic link, fifo or socket.
  Result<void> copy_special(LowerRef ref, int to, const std::string& name, const std::string& path,
                            const Attr& attr) {
    const bool link = S_ISLNK(attr.mode);
    if (link) {
      const std::string target = SBX_TRY(check(tree_.read_link(ref), path));
      SBX_TRY(check(sys::at::symlink(target.c_str(), to, name.c_str()), path));
    } else {
      SBX_TRY(check(sys::at::make_node(to, name.c_str(), (attr.mode & S_IFMT) | S_IRUSR, 0), path));
    }
    if (owners_ == CopiedOwners::kKept) {
      SBX_TRY(allow_foreign(sys::at::change_owner(to, name.c_str(), attr.owner.uid, attr.owner.gid),
                            path));
    }
    if (!link) {
      SBX_TRY(check(sys::at::change_mode(to, name.c_str(), attr.mode & 07777), path));
    }
    return check(sys::at::set_times(to, name.c_str(), times_of(attr)), path);
  }

  /// An id of the image that the sandbox does not have: the file stays ours, as it would be seen inside in any case.
  static Result<void> allow_foreign(FsResult<void> changed, const std::string& path) {
    return !changed && changed.error().value() == EINVAL ? Result<void>() : check(changed, path);
  }

  /// Owner before mode, as chown(2) takes set-user-id bits and capabilities away.
  Result<void> finish(LowerRef ref, int fd, const std::string& path, const Attr& attr) {
    if (owners_ == CopiedOwners::kKept) {
      SBX_TRY(allow_foreign(sys::at::change_owner(fd, attr.owner.uid, attr.owner.gid), path));
    }
    SBX_TRY(copy_attributes(ref, fd, path));
    SBX_TRY(check(sys::at::change_mode(fd, attr.mode & 07777), path));
    return check(sys::at::set_times(fd, times_of(attr)), path);
  }

  Result<void> copy_attributes(LowerRef ref, int fd, const std::string& path) {
    if (!tree_.has_xattrs()) {
      return {};
    }
    for (const std::string& name : SBX_TRY(check(tree_.xattr_names(ref), path))) {
      const bool user = name.starts_with("user.");
      if (!user && name != "security.capability" && !name.starts_with("system.posix_acl_")) {
        continue;  // of the machine that the image was made on: labels, trusted marks
      }
      const std::string value = SBX_TRY(check(tree_.xattr(ref, name), path));
      const FsResult<void> set = sys::at::set_xattr(
          fd, name.c_str(), std::as_bytes(std::span(value.data(), value.size())));
      const int why = set ? 0 : set.error().value();
      if (why == ENOTSUP || (!user && (why == EPERM || why == EINVAL))) {
        log::debug("'{}' has no {} in the volume: {}", path, name, errno_text(why));
      } else if (why != 0) {
        return fail(error(path, set.error()));
      }
    }
    return {};
  }

  using Times = struct timespec[2];
  struct TimePair {
    Times both;
    operator const Times&() const { return both; }  // NOLINT: what set_times() takes
  };
  static TimePair times_of(const Attr& attr) { return {{attr.mtime, attr.mtime}}; }

  Lower& tree_;
  int root_;
  CopiedOwners owners_;
  std::unordered_set<std::uint64_t> directories_;         // a damaged tree may have loops
  std::unordered_map<std::uint64_t, std::string> links_;  // by inode: the first name, below root_
};

}  // namespace

Result<void> copy_tree(Lower& tree, LowerRef from, int to, CopiedOwners owners) {
  return Copier(tree, to, owners).copy(from);
}

FsResult<LowerPin> find_directory(Lower& tree, std::string_view path) {
  std::vector<std::string> rest;  // the next component last
  const auto push = [&rest](std::string_view text) {
    std::vector<std::string> parts;
    while (!text.empty()) {
      const std::string_view part = text.substr(0, text.find('/'));
      text.remove_prefix(std::min(part.size() + 1, text.size()));
      if (!part.empty() && part != ".") {
        parts.emplace_back(part);
      }
    }
    rest.insert(rest.end(), parts.rbegin(), parts.rend());
  };
  push(path);
  std::vector<LowerPin> way;
  way.push_back(LowerPin::of(tree, overlay::kLowerRoot));
  for (unsigned links = 0; !rest.empty();) {
    const std::string name = std::move(rest.back());
    rest.pop_back();
    if (name == "..") {
      if (way.size() > 1) {
        way.pop_back();
      }
      continue;
    }
    LowerPin next = SBX_TRY(tree.lookup(way.back().ref(), name));
    const Attr attr = SBX_TRY(tree.attr(next.ref()));
    if (S_ISLNK(attr.mode)) {
      if (++links > kMaxLinks) {
        return fail(Errno(ELOOP));
      }
      const std::string target = SBX_TRY(tree.read_link(next.ref()));
      if (target.starts_with('/')) {
        way.resize(1);
      }
      push(target);
      continue;
    }
    if (!S_ISDIR(attr.mode)) {
      return fail(Errno(ENOTDIR));
    }
    way.push_back(std::move(next));
  }
  return std::move(way.back());
}

}  // namespace sbx::runtime
