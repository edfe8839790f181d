#include "image/image_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/log.hpp"
#include "image/foreign_layout.hpp"
#include "image/image_files.hpp"
#include "image/index_entry.hpp"
#include "oci/manifest.hpp"
#include "store/gc.hpp"
#include "sys/close_aside.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

Error no_such_image(std::string_view name) {
  return Error::make(ErrorCode::kNotFound, "find image", name, "there is no such image here")
      .with_hint(
          "'sbx images' lists what is there; 'sbx pull' fetches an image from a registry, 'sbx "
          "load' "
          "takes one from a file or directory");
}

Result<Match> need_match(const store::Store& store, const oci::Index& index,
                         std::string_view name) {
  const Match match = SBX_TRY(match_image(store, index, name));
  return match.kind == MatchKind::kNone ? Result<Match>(fail(no_such_image(name)))
                                        : Result<Match>(match);
}

void drop_entries(oci::Index& index, const std::string& name) {
  auto& entries = index.manifests;
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const oci::Descriptor& e) { return entry_name(e) == name; }),
                entries.end());
}

/// Takes what `match` means out of the index.
Result<RemovedImage> take_out(const store::Store& store, oci::Index& index, const Match& match,
                              std::string_view asked, ImageStore::Force force) {
  const StoredImage image = SBX_TRY(read_image(store, index, match.manifest));
  RemovedImage out;
  if (match.kind == MatchKind::kName && image.names.size() > 1) {
    out.untagged = {match.name};
    drop_entries(index, match.name);
    return out;
  }
  if (match.kind != MatchKind::kName && image.names.size() > 1 && force == ImageStore::Force::kNo) {
    return fail(Error::make(ErrorCode::kBusy, "remove image", asked, "it has several names")
                    .with_hint("remove it by name, or use --force"));
  }
  out.untagged = image.names;
  out.deleted = image.id();
  auto& entries = index.manifests;
  entries.erase(
      std::remove_if(entries.begin(), entries.end(),
                     [&](const oci::Descriptor& e) { return e.digest == match.manifest; }),
      entries.end());
  return out;
}

Result<std::optional<StoredImage>> find_in(const store::Store& store, std::string_view name) {
  const oci::Index index = SBX_TRY(store.read_index());
  const Match match = SBX_TRY(match_image(store, index, name));
  if (match.kind == MatchKind::kNone) {
    return std::optional<StoredImage>{};
  }
  return std::optional<StoredImage>(SBX_TRY(read_image(store, index, match.manifest)));
}

Result<FoundImage> read_blobs(const store::Store& store, const oci::Index& index,
                              const Match& match) {
  FoundImage out;
  out.image = SBX_TRY(read_image(store, index, match.manifest));
  out.asked = match.name;
  out.manifest = SBX_TRY(store.read_blob(match.manifest.bytes(), oci::kMaxManifestBytes));
  out.config = SBX_TRY(store.read_blob(out.image.config_digest.bytes(), kMaxStoredConfigBytes));
  if (out.image.layer_sizes.size() != out.image.config.diff_ids.size()) {
    return fail(Error::make(ErrorCode::kCorrupt, "open image", out.image.id(),
                            "manifest and configuration differ in the number of layers"));
  }
  for (const oci::DiffId& layer : out.image.config.diff_ids) {
    out.layers.push_back(SBX_TRY(store.open_blob(layer.bytes())));
  }
  return out;
}

}  // namespace

Result<ImageStore> ImageStore::open(const std::string& root,
                                    const std::vector<std::string>& additional) {
  ImageStore images(root);
  for (const std::string& path : additional) {
    Result<store::Store> store = store::Store::open_additional(path);
    if (store) {
      images.additional_.push_back(std::move(store).value());
    } else {
      log::warn("cannot use the additional image store '{}': {}, ignoring", printable(path),
                store.error().message());
    }
  }
  if (const std::optional<store::Store> store = SBX_TRY(images.open_store())) {
    // A store of somebody else, to which we cannot write, is no reason to fail.
    std::ignore = store::clean_leftovers(*store);
  }
  return images;
}

Result<std::optional<store::Store>> ImageStore::open_store() const {
  Result<store::Store> store = store::Store::open(store_path(), store::Store::Access::kRead);
  if (!store && store.error().code == ErrorCode::kNotFound) {
    return std::optional<store::Store>{};
  }
  return std::optional<store::Store>(SBX_TRY(std::move(store)));
}

Result<store::Store> ImageStore::need_store(std::string_view name) const {
  std::optional<store::Store> store = SBX_TRY(open_store());
  if (!store) {
    return fail(no_such_image(name));
  }
  return *std::move(store);
}

Result<std::vector<StoredImage>> ImageStore::list() const {
  std::vector<StoredImage> out;
  if (const std::optional<store::Store> store = SBX_TRY(open_store())) {
    const oci::Index index = SBX_TRY(store->read_index());
    for (const oci::Digest& digest : distinct_manifests(index)) {
      out.push_back(SBX_TRY(read_image(*store, index, digest).context("listing the images")));
    }
  }
  for (const store::Store& store : additional_) {
    const Result<oci::Index> index = read_foreign_index(store);
    if (!index) {
      continue;
    }
    for (const oci::Digest& digest : distinct_manifests(*index)) {
      Result<StoredImage> image = read_image(store, *index, digest);
      const bool known = image && std::any_of(out.begin(), out.end(), [&](const StoredImage& own) {
                           return own.config_digest == image->config_digest;
                         });
      if (image && !known) {  // one that cannot be read is not ours to complain of
        image->read_only = true;
        image->store = store.path();
        out.push_back(std::move(image).value());
      }
    }
  }
  return out;
}

Result<std::optional<StoredImage>> ImageStore::try_find_own(std::string_view name) const {
  const std::optional<store::Store> store = SBX_TRY(open_store());
  if (!store) {
    return std::optional<StoredImage>{};
  }
  return find_in(*store, name);
}

Result<std::optional<StoredImage>> ImageStore::try_find(std::string_view name) const {
  std::optional<StoredImage> own = SBX_TRY(try_find_own(name));
  return own ? Result<std::optional<StoredImage>>(std::move(own)) : find_additional(name);
}

Result<StoredImage> ImageStore::find(std::string_view name) const {
  std::optional<StoredImage> found = SBX_TRY(try_find(name));
  if (!found) {
    return fail(no_such_image(name));
  }
  return *std::move(found);
}

Result<std::pair<StoredImage, ImageFiles>> ImageStore::find_and_open(std::string_view name) const {
  using Opened = std::pair<StoredImage, ImageFiles>;
  if (const std::optional<store::Store> store = SBX_TRY(open_store())) {
    // A store that we may only read cannot be locked by us, and nobody but its owner collects there.
    const Result<sys::FileLock> lock = store->use_lock();
    if (std::optional<StoredImage> image = SBX_TRY(find_in(*store, name))) {
      ImageFiles files = SBX_TRY(open_in(*store, image->chain_id, *store, *image));
      return Opened(*std::move(image), std::move(files));
    }
  }
  std::optional<StoredImage> image = SBX_TRY(find_additional(name));
  if (!image) {
    return fail(no_such_image(name));
  }
  ImageFiles files = SBX_TRY(open_additional(*image));
  return Opened(*std::move(image), std::move(files));
}

Result<ImageFiles> ImageStore::open_files(const StoredImage& image) const {
  if (image.read_only) {
    return open_additional(image);
  }
  const store::Store store = SBX_TRY(need_store(image.id()));
  return open_in(store, image.chain_id, store, image);
}

Result<FoundImage> ImageStore::find_blobs(std::string_view name) const {
  if (const std::optional<store::Store> store = SBX_TRY(open_store())) {
    const Result<sys::FileLock> lock = store->use_lock();  // as in find_and_open()
    const oci::Index index = SBX_TRY(store->read_index());
    const Match match = SBX_TRY(match_image(*store, index, name));
    if (match.kind != MatchKind::kNone) {
      return read_blobs(*store, index, match);
    }
  }
  for (const store::Store& store : additional_) {
    const Result<oci::Index> index = read_foreign_index(store);
    const Match match = index ? SBX_TRY(match_image(store, *index, name)) : Match();
    if (match.kind != MatchKind::kNone) {
      return read_blobs(store, *index, match);
    }
  }
  return fail(no_such_image(name));
}

Result<std::vector<std::string>> ImageStore::untag(std::string_view name,
                                                   const std::vector<std::string>& names) {
  SBX_TRY(refuse_additional("untag", name));
  const store::Store store = SBX_TRY(need_store(name));
  const sys::FileLock lock = SBX_TRY(store.index_lock());
  oci::Index index = SBX_TRY(store.read_index());
  const Match match = SBX_TRY(need_match(store, index, name));
  const StoredImage image = SBX_TRY(read_image(store, index, match.manifest));
  std::vector<std::string> taken = names.empty() ? image.names : std::vector<std::string>();
  for (const std::string& asked : names) {
    const std::string full = SBX_TRY(oci::Reference::parse(asked)).tagged();
    if (std::find(image.names.begin(), image.names.end(), full) == image.names.end()) {
      return fail(Error::make(ErrorCode::kNotFound, "untag image", asked,
                              fmt::format("it is not a name of '{}'", printable(name))));
    }
    taken.push_back(full);
  }
  const auto first =
      std::find_if(index.manifests.begin(), index.manifests.end(),
                   [&](const oci::Descriptor& e) { return e.digest == match.manifest; });
  oci::Descriptor nameless = *first;
  nameless.annotations.erase(std::string(oci::kRefNameAnnotation));
  for (const std::string& full : taken) {
    drop_entries(index, full);
  }
  add_entry(index, std::move(nameless));  // gives way to what names are left
  SBX_TRY(store.write_index(index));
  return taken;
}

Result<void> ImageStore::tag(std::string_view name, std::string_view new_name) {
  const oci::Reference reference = SBX_TRY(oci::Reference::parse(new_name));
  if (reference.digest()) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "tag image", new_name,
                            "a name with a digest cannot be given"));
  }
  SBX_TRY(refuse_additional("tag", name));
  const store::Store store = SBX_TRY(need_store(name));
  const sys::FileLock lock = SBX_TRY(store.index_lock());
  oci::Index index = SBX_TRY(store.read_index());
  const Match match = SBX_TRY(need_match(store, index, name));
  const auto old =
      std::find_if(index.manifests.begin(), index.manifests.end(),
                   [&](const oci::Descriptor& e) { return e.digest == match.manifest; });
  oci::Descriptor entry = *old;
  entry.annotations[std::string(oci::kRefNameAnnotation)] = reference.tagged();
  add_entry(index, std::move(entry));
  return store.write_index(index);
}

Result<RemovedImage> ImageStore::remove(std::string_view name, Force force) {
  SBX_TRY(refuse_additional("remove", name));
  const store::Store store = SBX_TRY(need_store(name));
  RemovedImage out;
  {
    const sys::FileLock lock = SBX_TRY(store.index_lock());
    oci::Index index = SBX_TRY(store.read_index());
    const Match match = SBX_TRY(need_match(store, index, name));
    out = SBX_TRY(take_out(store, index, match, name, force));
    SBX_TRY(store.write_index(index));
  }
  if (out.deleted) {
    // With a load going on this does nothing, and the next removal collects.
    store::Collected collected =
        SBX_TRY(store::collect_garbage(store).context("removing the files of the image"));
    sys::close_aside(std::move(collected.held));
  }
  return out;
}

Result<ImageStore::Pruned> ImageStore::prune(
    const std::function<bool(const StoredImage&)>& unwanted) {
  Pruned out;
  const std::optional<store::Store> store = SBX_TRY(open_store());
  if (!store) {
    return out;
  }
  {
    const sys::FileLock lock = SBX_TRY(store->index_lock());
    oci::Index index = SBX_TRY(store->read_index());
    for (const oci::Digest& digest : distinct_manifests(index)) {
      const StoredImage image = SBX_TRY(read_image(*store, index, digest));
      if (unwanted(image)) {
        const Match match{MatchKind::kDigest, digest, {}};
        out.images.push_back(SBX_TRY(take_out(*store, index, match, image.id(), Force::kYes)));
      }
    }
    if (!out.images.empty()) {
      SBX_TRY(store->write_index(index));
    }
  }
  store::Collected collected = SBX_TRY(store::collect_garbage(*store));
  sys::close_aside(std::move(collected.held));
  out.bytes = collected.bytes;
  return out;
}

}  // namespace sbx::image
