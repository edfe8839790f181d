#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "oci/digest.hpp"
#include "oci/index.hpp"
#include "sys/fd.hpp"
#include "sys/lock.hpp"

namespace sbx::store {

/// Annotations of the entries of our index.json, besides the image's name.
inline constexpr std::string_view kChainIdAnnotation = "io.sbx.chain-id";
inline constexpr std::string_view kSourceAnnotation = "io.sbx.source-manifest";  // digest as loaded
/// The digest of the index that was asked for and named the manifest; the index itself is not kept.
inline constexpr std::string_view kSourceIndexAnnotation = "io.sbx.source-index";

/// The OCI image layout in which images are kept ($ROOT/store), with the ImageTrees beside it. Layers are the
/// uncompressed tars, named by their diff ids; the manifest that index.json names says so, which makes
/// the store readable in place by any OCI tool. See README.md for the locks.
class Store {
 public:
  enum class Access { kRead, kWrite };

  /// `path` is the store's own directory. kWrite makes what is missing; kRead of a store that is not
  /// there is kNotFound. kUnsupported for a layout version that we do not know.
  static Result<Store> open(const std::string& path, Access access);

  /// A store of others, to read: `path` is its directory (any OCI layout), or the data directory that it lies in.
  static Result<Store> open_additional(const std::string& path);

  [[nodiscard]] int dir() const { return dir_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }

  [[nodiscard]] bool has_blob(const oci::DigestBytes& digest) const;
  Result<sys::Fd> open_blob(const oci::DigestBytes& digest) const;
  /// A small blob (manifest, configuration); kLimit beyond `max`. Its digest is not checked again.
  Result<std::string> read_blob(const oci::DigestBytes& digest, std::size_t max) const;
  Result<std::uint64_t> blob_size(const oci::DigestBytes& digest) const;
  [[nodiscard]] bool has_tree(const oci::ChainId& chain) const;
  Result<sys::Fd> open_tree(const oci::ChainId& chain) const;

  /// index.json; an absent one is an empty one.
  Result<oci::Index> read_index() const;
  /// Replaces index.json, durably. The caller holds index_lock() since before it read the old one.
  Result<void> write_index(const oci::Index& index) const;

  /// Shared: while blobs are in use that index.json may not name (yet): a load, or between finding an image and
  /// having its files open. Nothing is collected meanwhile.
  Result<sys::FileLock> use_lock() const;
  /// Exclusive, for read_index() to write_index(). Taken after use_lock(), never before.
  Result<sys::FileLock> index_lock() const;
  /// Exclusive against use_lock(); nullopt if something is in use.
  Result<std::optional<sys::FileLock>> try_collect_lock() const;

  static std::string blob_path(const oci::DigestBytes& digest);
  static std::string tree_path(const oci::ChainId& chain);

 private:
  Store(sys::Fd dir, std::string path) : dir_(std::move(dir)), path_(std::move(path)) {}

  sys::Fd dir_;
  std::string path_;
};

}  // namespace sbx::store
