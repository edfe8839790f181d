#include "runtime/tree_owner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <string>

#include "sys/at.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

// As in copy_tree(): each directory on the way is open.
constexpr unsigned kMaxDepth = 500;

struct Owner {
  uid_t uid;
  gid_t gid;
};

bool is_owned(const struct stat& st, const Owner& owner) {
  return st.st_uid == owner.uid && st.st_gid == owner.gid;
}

Error error(const std::string& path, Errno why) {
  return Error::system("give to the user of the container", path, why.value());
}

Result<void> give_children(int dir, const std::string& path, dev_t device, const Owner& owner,
                           unsigned depth) {
  if (depth > kMaxDepth) {
    return fail(Error::make(ErrorCode::kLimit, "give to the user of the container", path,
                            fmt::format("directories lie more than {} deep", kMaxDepth)));
  }
  for (const std::string& name : SBX_TRY(sys::list_dir(dir, "."))) {
    const std::string below = path + "/" + name;
    const FsResult<struct stat> st = sys::at::stat(dir, name.c_str());
    if (!st || st->st_dev != device) {
      continue;  // gone meanwhile, or mounted there
    }
    if (!is_owned(*st, owner)) {
      if (const auto given = sys::at::change_owner(dir, name.c_str(), owner.uid, owner.gid);
          !given && given.error().value() != ENOENT) {
        return fail(error(below, given.error()));
      }
    }
    if (S_ISDIR(st->st_mode)) {
      const FsResult<sys::Fd> child =
          sys::at::open(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (!child) {
        return fail(error(below, child.error()));
      }
      SBX_TRY(give_children(child->get(), below, device, owner, depth + 1));
    }
  }
  return {};
}

}  // namespace

Result<void> give_tree(int fd, uid_t uid, gid_t gid) {
  const Owner owner{uid, gid};
  const struct stat st = SBX_TRY(sys::stat_fd(fd, "."));
  if (!is_owned(st, owner)) {
    if (const auto given = sys::at::change_owner(fd, uid, gid); !given) {
      return fail(error(".", given.error()));
    }
  }
  return S_ISDIR(st.st_mode) ? give_children(fd, ".", st.st_dev, owner, 0) : Result<void>();
}

}  // namespace sbx::runtime
