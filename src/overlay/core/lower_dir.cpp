#include "overlay/core/lower_dir.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "overlay/core/copy_range.hpp"
#include "overlay/core/xattr_policy.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

namespace {

Attr attr_of(const struct stat& st, std::uint64_t number) noexcept {
  Attr attr;
  attr.ino = number;
  attr.mode = st.st_mode;
  attr.nlink = static_cast<std::uint32_t>(st.st_nlink);
  attr.owner = {st.st_uid, st.st_gid};
  attr.rdev = st.st_rdev;
  attr.size = static_cast<std::uint64_t>(st.st_size);
  attr.blocks = static_cast<std::uint64_t>(st.st_blocks);
  attr.atime = st.st_atim;
  attr.mtime = st.st_mtim;
  attr.ctime = st.st_ctim;
  return attr;
}

}  // namespace

Result<std::unique_ptr<LowerDir>> LowerDir::make(sys::Fd root, Options options) {
  const auto st = sys::at::stat(root.get());
  if (!st) {
    return fail(Error::system("read", "lower directory", st.error().value()));
  }
  if (!S_ISDIR(st->st_mode)) {
    return fail(Error::system("use as lower tree", "", ENOTDIR));
  }
  std::vector<Layer> layers;
  layers.push_back({std::move(root), nullptr});
  return std::unique_ptr<LowerDir>(
      new LowerDir(std::move(layers), std::move(options), /*stacked=*/false, *st));
}

LowerDir::LowerDir(std::vector<Layer> layers, Options options, bool stacked, const struct stat& st)
    : options_(std::move(options)),
      layers_(std::move(layers)),
      stacked_(stacked),
      root_device_(st.st_dev),
      fds_(options_.open_files) {
  (void)intern_layers({InLayer{}});  // number 0: what is not stacked
  slots_.resize(2);
  Slot& top = slots_[kLowerRoot.get()];
  top.device = st.st_dev;
  top.ino = st.st_ino;
  top.type = S_IFDIR;
  top.used = true;
  top.pins = 1;  // never goes
}

FsResult<LowerPin> LowerDir::lookup(LowerRef dir, std::string_view name) noexcept {
  const Seen seen = SBX_TRY(find(dir, name));
  const std::lock_guard lock(mutex_);
  if (slot(dir) == nullptr) {
    return no(ESTALE);
  }
  const LowerRef ref = intern(dir, name, seen);
  slot(ref)->pins++;
  return LowerPin(*this, ref);
}

FsResult<std::uint32_t> LowerDir::probe(LowerRef dir, std::string_view name) noexcept {
  return SBX_TRY(find(dir, name)).st.st_mode & S_IFMT;
}

FsResult<Attr> LowerDir::attr(LowerRef ref) noexcept {
  Place place;
  std::uint16_t layer = 0;
  bool merged = false;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    if (known == nullptr) {
      return no(ESTALE);
    }
    layer = top_of(*known).layer;
    merged = layer_sets_[known->layers].size() > 1;
    if (ref != kLowerRoot) {
      place = known->places.front();
      if (slot(place.dir)->excluded) {
        return no(ENOENT);
      }
    }
  }
  struct stat st {};
  if (ref == kLowerRoot) {
    st = SBX_TRY(sys::at::stat(layers_[layer].root.get()));
  } else {
    const FdRef parent = SBX_TRY(dir_fd(place.dir, layer));
    st = SBX_TRY(sys::at::stat(parent->get(), place.name.c_str()));
  }
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    if (known == nullptr || known->device != st.st_dev || known->ino != st.st_ino ||
        known->type != (st.st_mode & S_IFMT)) {
      return no(ESTALE);
    }
  }
  Attr attr = attr_of(st, number(st.st_dev, st.st_ino));
  if (merged) {
    attr.nlink = 1;  // nobody has counted the subdirectories; find(1) and others know what 1 means
  }
  if (layers_[layer].override_stat != nullptr) {
    SBX_TRY(apply_override(ref, attr));
  }
  return attr;
}

FsResult<std::string> LowerDir::read_link(LowerRef ref) noexcept {
  Place place;
  std::uint16_t layer = 0;
  std::uint32_t type = 0;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    if (known == nullptr) {
      return no(ESTALE);
    }
    if (known->places.empty()) {
      return no(EINVAL);
    }
    place = known->places.front();
    layer = top_of(*known).layer;
    type = known->type;
  }
  std::string target(PATH_MAX, '\0');
  if (type == S_IFREG && layers_[layer].override_stat != nullptr) {
    // A file that stands for a symlink.
    target.resize(SBX_TRY(read(ref, 0, std::as_writable_bytes(std::span(target)))));
    return target;
  }
  const FdRef dir = SBX_TRY(dir_fd(place.dir, layer));
  target.resize(SBX_TRY(sys::at::read_link(dir->get(), place.name.c_str(), target)));
  return target;
}

FsResult<std::size_t> LowerDir::read(LowerRef ref, std::uint64_t offset,
                                     std::span<std::byte> data) noexcept {
  const FdRef file = SBX_TRY(file_fd(ref));
  return sys::at::pread_full(file->get(), data, offset);
}

FsResult<std::uint64_t> LowerDir::seek(LowerRef ref, std::uint64_t offset, int whence) noexcept {
  const FdRef file = SBX_TRY(file_fd(ref));
  return sys::at::seek(file->get(), offset, whence);
}

FsResult<void> LowerDir::copy_data(LowerRef ref, int to, std::uint64_t length) noexcept {
  const sys::Fd file = SBX_TRY(reopen(ref, O_RDONLY | O_NONBLOCK));
  return copy_sparse(file.get(), to, length);
}

FsResult<sys::Fd> LowerDir::open_for_xattr(LowerRef ref) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    // An open of anything else may have effects, and user xattrs exist on these two types only.
    if (known == nullptr || (known->type != S_IFREG && known->type != S_IFDIR)) {
      return no(ENODATA);
    }
  }
  auto fd = reopen(ref, O_RDONLY | O_NONBLOCK);
  if (!fd && fd.error() == Errno(EACCES)) {
    return no(ENODATA);
  }
  return fd;
}

FsResult<std::string> LowerDir::xattr(LowerRef ref, std::string_view name) noexcept {
  const sys::Fd fd = SBX_TRY(open_for_xattr(ref));
  const std::string key =
      stacked_ ? SBX_TRY(xattr_to_disk(name, XattrForm::kNative)) : std::string(name);
  std::string value(256, '\0');
  for (;;) {
    const auto size =
        sys::at::get_xattr(fd.get(), key.c_str(), std::as_writable_bytes(std::span(value)));
    if (size) {
      value.resize(*size);
      return value;
    }
    if (size.error() != Errno(ERANGE) || value.size() > kXattrSizeMax) {
      return no(size.error() == Errno(EOPNOTSUPP) ? ENODATA : size.error().value());
    }
    value.resize(kXattrSizeMax + 1);
  }
}

FsResult<std::vector<std::string>> LowerDir::xattr_names(LowerRef ref) noexcept {
  std::vector<std::string> names;
  const auto fd = open_for_xattr(ref);
  if (!fd) {
    return fd.error() == Errno(ENODATA) ? FsResult<std::vector<std::string>>(names)
                                        : fail(fd.error());
  }
  std::vector<char> list(kXattrSizeMax);
  const auto size = sys::at::list_xattr(fd->get(), list);
  if (!size) {
    return size.error() == Errno(EOPNOTSUPP) ? FsResult<std::vector<std::string>>(names)
                                             : fail(size.error());
  }
  split_names(std::string_view(list.data(), *size), names);
  if (stacked_) {
    std::vector<std::string> shown;
    for (const std::string& name : names) {
      if (auto as = xattr_from_disk(name, XattrForm::kNative)) {
        shown.push_back(std::move(*as));
      }
    }
    return shown;
  }
  return names;
}

FsResult<std::vector<Lower::Place>> LowerDir::places(LowerRef ref) noexcept {
  const std::lock_guard lock(mutex_);
  const Slot* known = slot(ref);
  if (known == nullptr) {
    return no(ESTALE);
  }
  if (known->places.empty()) {
    return no(ENOENT);
  }
  return known->places;
}

FsResult<LowerDir::Seen> LowerDir::find(LowerRef dir, std::string_view name) noexcept {
  std::uint32_t layers = 0;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(dir);
    if (known == nullptr) {
      return no(ESTALE);
    }
    if (known->excluded) {
      return no(ENOENT);
    }
    if (known->type != S_IFDIR) {
      return no(ENOTDIR);
    }
    layers = known->layers;
  }
  if (stacked_) {
    return find_in_layers(dir, layer_set(layers), std::string(name));
  }
  const FdRef parent = SBX_TRY(dir_fd(dir, 0));
  const std::string entry(name);
  Seen seen;
  seen.st = SBX_TRY(sys::at::stat(parent->get(), entry.c_str()));
  return seen;
}

const LowerDir::LayerSet& LowerDir::layer_set(std::uint32_t number) noexcept {
  const std::lock_guard lock(mutex_);
  return layer_sets_[number];
}

FsResult<FdRef> LowerDir::dir_fd(LowerRef dir, std::uint16_t layer) noexcept {
  const std::uint64_t key = fd_key(dir, layer);
  if (FdRef known = fds_.find(key)) {
    return known;
  }
  return fds_.put(key, SBX_TRY(open_in_layer(dir, layer, O_PATH | O_DIRECTORY)));
}

FsResult<FdRef> LowerDir::file_fd(LowerRef ref) noexcept {
  std::uint64_t key = 0;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    if (known == nullptr || known->type != S_IFREG) {
      return no(known == nullptr ? ESTALE : EINVAL);
    }
    key = fd_key(ref, top_of(*known).layer);
  }
  if (FdRef known = fds_.find(key)) {
    return known;
  }
  return fds_.put(key, SBX_TRY(reopen(ref, O_RDONLY | O_NONBLOCK)));
}

FsResult<sys::Fd> LowerDir::reopen(LowerRef ref, int flags) noexcept {
  std::uint16_t layer = 0;
  std::uint64_t device = 0;
  std::uint64_t ino = 0;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(ref);
    if (known == nullptr) {
      return no(ESTALE);
    }
    layer = top_of(*known).layer;
    device = known->device;
    ino = known->ino;
  }
  sys::Fd fd = SBX_TRY(open_in_layer(ref, layer, flags));
  const struct stat st = SBX_TRY(sys::at::stat(fd.get()));
  if (st.st_dev != device || st.st_ino != ino) {
    return no(ESTALE);
  }
  return fd;
}

FsResult<sys::Fd> LowerDir::open_in_layer(LowerRef ref, std::uint16_t layer, int flags) noexcept {
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    path = SBX_TRY(path_of(ref));
  }
  return sys::at::open_beneath(layers_[layer].root.get(), path.c_str(), flags | O_NOFOLLOW);
}

FsResult<LowerDir::Listing> LowerDir::read_listing(LowerRef dir) noexcept {
  Listing listing;
  std::uint64_t device = 0;
  std::uint32_t layers = 0;
  {
    const std::lock_guard lock(mutex_);
    const Slot* known = slot(dir);
    if (known == nullptr) {
      return no(ESTALE);
    }
    if (known->excluded) {
      return listing;
    }
    device = known->device;
    layers = known->layers;
  }
  if (stacked_) {
    return read_merged(dir, layer_set(layers));
  }
  const sys::Fd fd = SBX_TRY(reopen(dir, O_RDONLY | O_DIRECTORY));
  alignas(8) std::byte buffer[32 * 1024];
  for (;;) {
    const std::size_t got = SBX_TRY(sys::at::read_dirents(fd.get(), buffer));
    if (got == 0) {
      return listing;
    }
    sys::at::DirentReader reader(std::span<const std::byte>(buffer, got));
    sys::at::DirentReader::Dirent entry{};
    while (reader.next(entry)) {
      const std::string_view name = entry.name;
      if (name != "." && name != "..") {
        listing.push_back({std::string(name), number(device, entry.ino),
                           static_cast<std::uint32_t>(entry.type) << 12U});
      }
    }
  }
}

FsResult<std::shared_ptr<const LowerDir::Listing>> LowerDir::listing(LowerRef dir,
                                                                     std::uint64_t index) noexcept {
  if (index != 0) {
    const std::lock_guard lock(mutex_);
    const auto known = listings_.find(dir.get());
    if (known != listings_.end()) {
      return known->second;
    }
  }
  auto fresh = std::make_shared<const Listing>(SBX_TRY(read_listing(dir)));
  constexpr std::size_t kMaxListings = 32;
  const std::lock_guard lock(mutex_);
  if (listings_.size() >= kMaxListings) {
    listings_.erase(listings_.begin());
  }
  listings_[dir.get()] = fresh;
  return fresh;
}

FsResult<void> LowerDir::list(LowerRef dir, std::uint64_t index, EntrySink& sink) noexcept {
  // Shared: another reader of the same directory may replace it in listings_ meanwhile.
  const std::shared_ptr<const Listing> entries = SBX_TRY(listing(dir, index));
  for (; index < entries->size(); ++index) {
    const Listed& entry = (*entries)[index];
    if (!sink.take(index, entry.name, entry.ino, entry.type)) {
      return {};
    }
  }
  const std::lock_guard lock(mutex_);
  listings_.erase(dir.get());  // read to its end
  return {};
}

std::uint64_t LowerDir::number(std::uint64_t device, std::uint64_t ino) const noexcept {
  if (device == root_device_) {
    return ino;
  }
  // Another file system below the root: its device number, mixed to 16 bits, tells its files apart.
  const std::uint64_t mixed = device * 0x9e3779b97f4a7c15ULL;
  return ino ^ (mixed & 0xffff000000000000ULL);
}

std::uint64_t LowerDir::number_for_upper(std::uint64_t device, std::uint64_t ino) noexcept {
  return number(device, ino);
}

Trust LowerDir::trust() const noexcept { return options_.live ? Trust::kBriefly : Trust::kForever; }

}  // namespace sbx::overlay
