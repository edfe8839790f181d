#include "image/disk_usage.hpp"

#include <map>
#include <set>

#include "store/store.hpp"
#include "sys/disk_usage.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

struct File {
  std::uint64_t size = 0;
  unsigned users = 0;
};

using Files = std::map<std::string, File>;  // by path below the store

Result<Files> list_files(const store::Store& store) {
  Files out;
  for (const char* dir : {"blobs/sha256", "tree"}) {
    for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), dir))) {
      const std::string path = std::string(dir) + "/" + name;
      if (const Result<struct stat> st = sys::stat_at(store.dir(), path)) {  // or just removed
        out[path].size = static_cast<std::uint64_t>(st->st_size);
      }
    }
  }
  return out;
}

/// Each path once: a layer may come several times in one image.
std::set<std::string> files_of(const StoredImage& image) {
  std::set<std::string> out{store::Store::tree_path(image.chain_id),
                            store::Store::blob_path(image.manifest.bytes()),
                            store::Store::blob_path(image.config_digest.bytes())};
  for (const oci::DiffId& layer : image.config.diff_ids) {
    out.insert(store::Store::blob_path(layer.bytes()));
  }
  if (image.source) {
    out.insert(store::Store::blob_path(image.source->bytes()));
  }
  return out;
}

}  // namespace

Result<StoreUse> measure_store(const std::string& root) {
  StoreUse out;
  const ImageStore images = SBX_TRY(ImageStore::open(root));
  const Result<store::Store> store =
      store::Store::open(images.store_path(), store::Store::Access::kRead);
  if (!store) {
    return store.error().code == ErrorCode::kNotFound ? Result<StoreUse>(std::move(out))
                                                      : fail(store.error());
  }
  Files files = SBX_TRY(list_files(*store));
  for (StoredImage& image : SBX_TRY(images.list())) {
    if (image.read_only) {
      continue;
    }
    for (const std::string& path : files_of(image)) {
      if (const auto it = files.find(path); it != files.end()) {
        ++it->second.users;
      }
    }
    out.images.push_back({std::move(image), 0, 0});
  }
  for (ImageUse& use : out.images) {
    for (const std::string& path : files_of(use.image)) {
      if (const auto it = files.find(path); it != files.end()) {
        (it->second.users > 1 ? use.shared : use.unique) += it->second.size;
      }
    }
  }
  for (const auto& [path, file] : files) {
    out.bytes += file.size;
    out.garbage += file.users == 0 ? file.size : 0;
  }
  const std::string staging = images.store_path() + "/staging";
  for (const std::string& name : SBX_TRY(sys::list_dir(store->dir(), "staging"))) {
    const std::uint64_t bytes = SBX_TRY(sys::disk_usage(staging + "/" + name));
    out.bytes += bytes;
    out.garbage += bytes;
  }
  return out;
}

}  // namespace sbx::image
