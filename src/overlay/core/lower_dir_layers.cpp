// LowerDir as several directories, merged as the kernel's overlay and fuse-overlayfs merge them.
//
// A directory lies in one layer or in several, at the same path in each; everything else lies in one. A lookup goes
// through the layers of its directory from the top and ends at the first that has the name as something else than a
// directory, or hides it: by a whiteout (character device 0:0, a file ".wh.NAME", or an empty file with a mark), or by an
// opaque directory. Which layers were found stands in the node (LayerSet), so everything but lookups and listings
// is one call in one layer. Redirects and metadata-only files are not followed: nothing that writes layers without
// being root of the machine makes them, but for `sbx run`, whose upper directories are nobody's layers.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "overlay/core/layer_marks.hpp"
#include "overlay/core/lower_dir.hpp"
#include "overlay/core/override_stat.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace at = sys::at;

Result<std::unique_ptr<LowerDir>> LowerDir::stack(std::vector<sys::Fd> roots, Options options) {
  if (roots.empty() || roots.size() > kMostLayers) {
    return fail(Error::make(ErrorCode::kLimit, "use as lower tree", "",
                            "not between one directory and " + std::to_string(kMostLayers)));
  }
  std::vector<Layer> layers;
  LayerSet all;
  bool covered = false;
  struct stat first {};
  for (sys::Fd& root : roots) {
    const auto st = at::stat(root.get());
    if (!st) {
      return fail(Error::system("read", "lower directory", st.error().value()));
    }
    if (!S_ISDIR(st->st_mode)) {
      return fail(Error::system("use as lower tree", "", ENOTDIR));
    }
    first = layers.empty() ? *st : first;
    const DirMarks marks = read_dir_marks(root.get());
    if (!covered) {
      all.push_back({static_cast<std::uint16_t>(layers.size()), marks.whiteout_files});
    }
    covered = covered || marks.opaque;
    const char* override_stat = find_override_stat(root.get());
    layers.push_back({std::move(root), override_stat});
  }
  std::unique_ptr<LowerDir> made(
      new LowerDir(std::move(layers), std::move(options), /*stacked=*/true, first));
  made->slots_[kLowerRoot.get()].layers = made->intern_layers(all);
  return made;
}

FsResult<LowerDir::Seen> LowerDir::find_in_layers(LowerRef dir, const LayerSet& layers,
                                                  const std::string& name) noexcept {
  if (is_whiteout_name(name)) {
    return no(ENOENT);
  }
  Seen seen;
  seen.layers.clear();
  for (const InLayer& in : layers) {
    const FdRef parent = SBX_TRY(dir_fd(dir, in.layer));
    const auto st = at::stat(parent->get(), name.c_str());
    if (!st) {
      if (st.error() != Errno(ENOENT)) {
        return fail(st.error());
      }
      // In the last layer there is nothing left to hide.
      if (&in != &layers.back() &&
          at::stat(parent->get(), (std::string(kWhiteoutPrefix) + name).c_str())) {
        break;
      }
      continue;
    }
    if (is_whiteout(parent->get(), name.c_str(), *st, in.marked)) {
      break;
    }
    const bool directory = S_ISDIR(st->st_mode);
    if (seen.layers.empty()) {
      seen.st = *st;
    } else if (!directory) {
      break;
    }
    if (!directory) {
      seen.layers.push_back({in.layer, false});
      break;
    }
    const auto fd = at::open(parent->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const DirMarks marks = fd ? read_dir_marks(fd->get()) : DirMarks();
    seen.layers.push_back({in.layer, marks.whiteout_files});
    if (marks.opaque) {
      break;
    }
  }
  return seen.layers.empty() ? FsResult<Seen>(no(ENOENT)) : seen;
}

FsResult<LowerDir::Listing> LowerDir::read_merged(LowerRef dir, const LayerSet& layers) noexcept {
  Listing listing;
  std::unordered_set<std::string> taken;   // names that lower layers show no more
  std::unordered_set<std::string> hidden;  // by whiteouts of the layer being read
  for (const InLayer& in : layers) {
    const sys::Fd fd = SBX_TRY(open_in_layer(dir, in.layer, O_RDONLY | O_DIRECTORY));
    const struct stat self = SBX_TRY(at::stat(fd.get()));
    const bool overridden = layers_[in.layer].override_stat != nullptr;
    alignas(8) std::array<std::byte, std::size_t{32} * 1024> buffer;  // NOLINT: filled below
    while (const std::size_t got = SBX_TRY(at::read_dirents(fd.get(), buffer))) {
      at::DirentReader reader(std::span<const std::byte>(buffer).first(got));
      at::DirentReader::Dirent entry{};
      while (reader.next(entry)) {
        std::string name = entry.name;
        if (name == "." || name == "..") {
          continue;
        }
        if (is_whiteout_name(name)) {
          hidden.insert(name.substr(kWhiteoutPrefix.size()));
          continue;
        }
        const bool suspect =
            entry.type == DT_CHR || entry.type == DT_UNKNOWN || (in.marked && entry.type == DT_REG);
        if (suspect) {
          const auto st = at::stat(fd.get(), name.c_str());
          if (!st || is_whiteout(fd.get(), name.c_str(), *st, in.marked)) {
            hidden.insert(std::move(name));
            continue;
          }
        }
        if (layers.size() > 1 && !taken.insert(name).second) {
          continue;
        }
        // The type of a file with an override is told by its lookup alone.
        const unsigned type = overridden && entry.type == DT_REG ? 0U : entry.type;
        listing.push_back({std::move(name), number(self.st_dev, entry.ino), type << 12U});
      }
    }
    taken.merge(hidden);
    hidden.clear();
  }
  return listing;
}

FsResult<void> LowerDir::apply_override(LowerRef ref, Attr& attr) noexcept {
  if (!S_ISREG(attr.mode) && !S_ISDIR(attr.mode)) {
    return {};  // no user xattrs on these
  }
  std::uint16_t layer = 0;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    if (known == nullptr) {
      return no(ESTALE);
    }
    layer = top_of(*known).layer;
  }
  const sys::Fd fd = SBX_TRY(reopen(ref, O_RDONLY | O_NONBLOCK));
  const auto over = read_override_stat(fd.get(), layers_[layer].override_stat);
  if (!over) {
    return {};
  }
  const bool plain = over->type == 0 || S_ISDIR(attr.mode);
  attr.mode = (plain ? attr.mode & S_IFMT : over->type) | over->permissions;
  attr.owner = over->owner;
  attr.rdev = over->rdev;
  return {};
}

}  // namespace sbx::overlay
