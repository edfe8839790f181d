#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layer/image_tree.hpp"
#include "oci/image_config.hpp"
#include "oci/reference.hpp"
#include "store/store.hpp"

namespace sbx::image {

/// One image of the store.
struct StoredImage {
  oci::Digest manifest;  // of the store's own manifest (uncompressed layers)
  /// Of the manifest as it was loaded, pulled or pushed; archives of docker have none. By name, where it is known; several names
  /// may stand for several forms of the same image.
  std::optional<oci::Digest> source;
  std::map<std::string, oci::Digest> sources;
  std::map<std::string, oci::Digest> source_indexes;  // of the index that named it in a registry
  oci::Digest config_digest;                          // the image id, as docker's
  oci::ChainId chain_id;
  oci::ImageConfig config;                 // config.diff_ids are the layers, lowest first
  std::vector<std::string> names;          // full: "docker.io/library/busybox:latest"; may be empty
  std::vector<std::uint64_t> layer_sizes;  // uncompressed, lowest first
  std::uint64_t size = 0;                  // of all layers

  // Of an additional store; chain_id may be all zeros there: nobody has made a tree yet.
  bool read_only = false;
  std::string store;       // its path
  std::string layout_ref;  // which image of it: SourceName::ref

  [[nodiscard]] std::string id() const { return config_digest.hex(); }
};

/// What a container needs of an image. The descriptors keep the files even if the image is removed meanwhile.
struct ImageFiles {
  layer::ImageTree tree;
  std::vector<sys::Fd> layers;  // in the order of ImageTree::layer()
};

/// An image as it lies in the store, to be written elsewhere.
struct FoundImage {
  StoredImage image;
  std::string asked;     // the full name by which it was found; empty if by id or digest
  std::string manifest;  // the store's own, as it stands
  std::string config;
  std::vector<sys::Fd> layers;  // lowest first
};

/// What remove() did.
struct RemovedImage {
  std::vector<std::string> untagged;   // full names
  std::optional<std::string> deleted;  // the image id, if that was its last name
};

/// The images of one user: $ROOT/store. Names are completed as docker completes them. Links no libcrypto and
/// no decompressor: loading is sbx-transfer's work (image/loader.hpp).
class ImageStore {
 public:
  /// `root` is sbx's data directory; a store that is not there yet has no images and is made by what writes.
  /// Cleans what a killed load left.
  /// `additional`: stores or OCI layouts that are looked into after the own one; nothing is written or locked there. One that
  /// cannot be read is passed over with a warning.
  static Result<ImageStore> open(const std::string& root,
                                 const std::vector<std::string>& additional = {});

  /// All images, in the order in which they were loaded; then those of additional stores that the own one has not.
  Result<std::vector<StoredImage>> list() const;
  /// By name ("busybox", "busybox:1", "busybox@sha256:..."), by manifest digest ("sha256:..."), or by the
  /// beginning of an image id if only one image has it. kNotFound; kInvalidArgument if it is ambiguous.
  Result<StoredImage> find(std::string_view name) const;
  /// As find(), absence not being an error.
  Result<std::optional<StoredImage>> try_find(std::string_view name) const;

  /// find() and open_files() with nothing collected in between.
  Result<std::pair<StoredImage, ImageFiles>> find_and_open(std::string_view name) const;
  /// kNotFound with the hint to load it again if the tree is missing or was written by another version.
  Result<ImageFiles> open_files(const StoredImage& image) const;

  /// find(), and its blobs with nothing collected in between. Their digests are not compared here.
  Result<FoundImage> find_blobs(std::string_view name) const;

  /// Whether open_files() will find everything: false for an image of an additional store that has no tree yet, or whose
  /// layers are compressed (see has_plain_layers()).
  [[nodiscard]] bool is_ready(const StoredImage& image) const;
  /// Whether the layers lie there as sbx serves them.
  [[nodiscard]] bool has_plain_layers(const StoredImage& image) const;
  [[nodiscard]] bool has_additional() const { return !additional_.empty(); }

  /// Gives an image another name; a name that another image had moves.
  Result<void> tag(std::string_view name, std::string_view new_name);
  /// Takes these names from an image, or all of them if there are none given; the image stays. The names taken. kNotFound
  /// for a name that is not the image's.
  Result<std::vector<std::string>> untag(std::string_view name,
                                         const std::vector<std::string>& names);
  /// By name: takes the name, and deletes the image with its last one. By id or digest: deletes the image; if it has
  /// several names only with `force`. What containers use stays theirs.
  enum class Force { kNo, kYes };
  Result<RemovedImage> remove(std::string_view name, Force force);

  /// Removes every image that `unwanted` says, with all its names, and collects what nothing needs any more: also what was
  /// left before.
  struct Pruned {
    std::vector<RemovedImage> images;
    std::uint64_t bytes =
        0;  // that are free now; 0 if something was in use, then the next command collects
  };
  Result<Pruned> prune(const std::function<bool(const StoredImage&)>& unwanted);

  /// The path of the store itself.
  [[nodiscard]] std::string store_path() const { return root_ + "/store"; }

 private:
  explicit ImageStore(std::string root) : root_(std::move(root)) {}
  Result<std::optional<store::Store>> open_store() const;
  Result<store::Store> need_store(std::string_view name) const;
  Result<std::optional<StoredImage>> try_find_own(std::string_view name) const;
  Result<std::optional<StoredImage>> find_additional(std::string_view name) const;
  [[nodiscard]] const store::Store* store_of(const StoredImage& image) const;
  Result<ImageFiles> open_additional(const StoredImage& image) const;
  [[nodiscard]] std::optional<oci::ChainId> chain_of(const StoredImage& image) const;
  Result<void> refuse_additional(std::string_view verb, std::string_view name) const;

  std::string root_;
  std::vector<store::Store> additional_;
};

}  // namespace sbx::image
