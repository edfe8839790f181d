#include "store/gc.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <set>
#include <string>

#include "oci/manifest.hpp"
#include "store/adopted.hpp"
#include "store/forms.hpp"
#include "store/pending.hpp"
#include "store/squashed.hpp"
#include "sys/file.hpp"

namespace sbx::store {
namespace {

Result<void> add_needed(const Store& store, const oci::Descriptor& image, Needed& needed) {
  needed.blobs.insert(image.digest.hex());
  const std::string text = SBX_TRY(store.read_blob(image.digest.bytes(), oci::kMaxManifestBytes));
  const oci::Manifest manifest =
      SBX_TRY(oci::Manifest::parse(text, oci::MediaType::kOciManifest, image.digest.str()));
  needed.blobs.insert(manifest.config.digest.hex());
  for (const oci::Descriptor& layer : manifest.layers) {
    needed.blobs.insert(layer.digest.hex());
  }
  if (const auto it = image.annotations.find(std::string(kSourceAnnotation));
      it != image.annotations.end()) {
    needed.blobs.insert(SBX_TRY(oci::Digest::parse(it->second)).hex());
  }
  if (const auto it = image.annotations.find(std::string(kChainIdAnnotation));
      it != image.annotations.end()) {
    needed.trees.insert(SBX_TRY(oci::ChainId::parse(it->second)).hex() + ".tree");
  }
  return {};
}

/// Freeing a large file takes longer than all else that a removal does: sys/close_aside.hpp.
constexpr off_t kLargeBytes = 16 << 20;
constexpr std::size_t kMaxHeld = 64;

void hold_if_large(const Store& store, const std::string& path, const struct stat& st,
                   Collected& out) {
  if (S_ISREG(st.st_mode) && st.st_size >= kLargeBytes && out.held.size() < kMaxHeld) {
    if (Result<sys::Fd> file = sys::open_at(store.dir(), path, O_PATH | O_NOFOLLOW)) {
      out.held.push_back(std::move(file).value());
    }
  }
}

Result<void> sweep(const Store& store, const std::string& dir, const std::set<std::string>& needed,
                   Collected& out) {
  for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), dir))) {
    if (needed.count(name) != 0) {
      continue;
    }
    const std::string path = dir + "/" + name;
    const struct stat st = SBX_TRY(sys::stat_at(store.dir(), path));
    hold_if_large(store, path, st, out);
    SBX_TRY(sys::remove_tree_at(store.dir(), path));
    ++out.files;
    out.bytes += static_cast<std::uint64_t>(st.st_blocks) * 512;
  }
  return {};
}

/// The notes of trees that are not needed any more.
Result<void> sweep_squashed(const Store& store, const std::set<std::string>& trees,
                            Collected& out) {
  if (!sys::exists_at(store.dir(), kSquashedDir)) {
    return {};
  }
  std::set<std::string> needed;
  for (const std::string& tree : trees) {
    needed.insert(tree.substr(0, tree.find('.')));
  }
  return sweep(store, kSquashedDir, needed, out);
}

/// The use lock is held exclusively: whatever lies in staging belongs to a process that is dead. So do
/// files that a killed write_file_at left beside index.json.
Result<void> sweep_leftovers(const Store& store, Collected& out) {
  SBX_TRY(sweep(store, "staging", {}, out));
  for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), "."))) {
    if (name.ends_with(".new")) {
      SBX_TRY(sys::unlink_at(store.dir(), name));
    }
  }
  return {};
}

}  // namespace

Result<Needed> needed_files(const Store& store) {
  Needed needed;
  needed.blobs = SBX_TRY(pending_blobs(store));
  needed.trees = SBX_TRY(adopted_trees(store));
  for (const SquashedFile& file : SBX_TRY(squashed_files(store))) {
    needed.trees.insert(file.key.hex() + ".tree");
  }
  for (const oci::Descriptor& image : SBX_TRY(store.read_index()).manifests) {
    SBX_TRY(add_needed(store, image, needed).context("looking for what the images need"));
  }
  return needed;
}

Result<Collected> collect_garbage(const Store& store) {
  Collected out;
  const std::optional<sys::FileLock> lock = SBX_TRY(store.try_collect_lock());
  if (!lock) {
    return out;
  }
  const sys::FileLock index_lock = SBX_TRY(store.index_lock());
  out.ran = true;
  SBX_TRY(sweep_leftovers(store, out));
  const Needed needed = SBX_TRY(needed_files(store));
  SBX_TRY(sweep(store, "blobs/sha256", needed.blobs, out));
  SBX_TRY(sweep(store, "tree", needed.trees, out));
  SBX_TRY(sweep_forms(store, needed.blobs));
  SBX_TRY(sweep_squashed(store, needed.trees, out));
  return out;
}

Result<void> clean_leftovers(const Store& store) {
  if (!SBX_TRY(sys::list_dir(store.dir(), "staging")).empty()) {
    (void)SBX_TRY(collect_garbage(store));
  }
  return {};
}

}  // namespace sbx::store
