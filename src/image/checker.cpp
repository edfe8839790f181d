#include "image/checker.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/sha256.hpp"
#include "image/index_entry.hpp"
#include "layer/byte_source.hpp"
#include "layer/image_tree.hpp"
#include "layer/ingest.hpp"
#include "layer/merged_tree.hpp"
#include "oci/chain_id.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "store/gc.hpp"
#include "store/squashed.hpp"
#include "store/staging.hpp"
#include "store/store.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kReadBytes = 256U << 10U;
constexpr unsigned kMaxThreads = 4;
constexpr const char* kBlobs = "blobs/sha256";
constexpr const char* kDamaged = "damaged";

/// What one blob turned out to be; empty text: what its name says.
struct Blob {
  std::string name;
  std::uint64_t size = 0;
  std::string fault;
};

Result<oci::Digest> hash_file(int dir, const std::string& path, std::uint64_t size) {
  const sys::Fd file = SBX_TRY(sys::open_at(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  layer::FileSource source(file.get(), 0, size, path);
  std::vector<std::byte> buffer(kReadBytes);
  Sha256 hash;
  for (;;) {
    const std::size_t got = SBX_TRY(source.read(buffer));
    if (got == 0) {
      return oci::Digest(hash.finish());
    }
    hash.update(std::span(buffer).first(got));
  }
}

void look_at(const store::Store& store, Blob& blob) {
  const std::string path = fmt::format("{}/{}", kBlobs, blob.name);
  const std::optional<oci::Digest> wanted = oci::Digest::from_hex(blob.name);
  const Result<struct stat> st = sys::stat_at(store.dir(), path);
  if (!wanted || !st || !S_ISREG(st->st_mode)) {
    blob.fault = !wanted ? "its name is no digest" : "it is not a file";
    return;
  }
  blob.size = static_cast<std::uint64_t>(st->st_size);
  const Result<oci::Digest> got = hash_file(store.dir(), path, blob.size);
  if (!got) {
    blob.fault = got.error().message();
  } else if (*got != *wanted) {
    blob.fault = fmt::format("its bytes have the digest {}", got->str());
  }
}

/// Several at once: reading and hashing are what a check takes.
void look_at_all(const store::Store& store, std::vector<Blob>& blobs) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < blobs.size(); i = next++) {
      look_at(store, blobs[i]);
    }
  };
  std::vector<std::jthread> threads;
  const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1U, kMaxThreads);
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back(work);
  }
}

/// An image of the index, as far as it can be read.
struct Image {
  oci::Digest manifest;
  std::string names;  // for people
  std::vector<oci::DiffId> layers;
  std::vector<std::uint64_t> sizes;
  oci::ChainId chain;
  std::string fault;         // why it cannot be whole
  bool wrong_chain = false;  // of the annotation
  bool lost_source = false;  // the manifest as it was loaded
};

class Checker {
 public:
  Checker(const store::Store& store, Repair repair, const layer::TreeLimits& limits)
      : store_(store), repair_(repair == Repair::kYes), limits_(limits) {}

  Result<CheckReport> run() {
    {
      // Nothing is collected meanwhile, and everybody may go on.
      store::Staging staging = SBX_TRY(store::Staging::open(store_));
      SBX_TRY(check_blobs());
      SBX_TRY(check_images());
      SBX_TRY(check_trees(staging));
      SBX_TRY(check_squashed());
      if (repair_) {
        SBX_TRY(staging.publish());
        SBX_TRY(mend_index());
      }
    }
    SBX_TRY(find_garbage());
    if (repair_) {
      SBX_TRY(collect());
    }
    return std::move(report_);
  }

 private:
  Problem& tell(std::string kind, std::string subject, std::string text) {
    return report_.problems.emplace_back(
        Problem{std::move(kind), std::move(subject), std::move(text), {}});
  }

  Result<void> check_blobs() {
    std::vector<Blob> blobs;
    for (std::string& name : SBX_TRY(sys::list_dir(store_.dir(), kBlobs))) {
      blobs.push_back({std::move(name), 0, {}});
    }
    std::sort(blobs.begin(), blobs.end(),
              [](const Blob& a, const Blob& b) { return a.name < b.name; });
    look_at_all(store_, blobs);
    for (const Blob& blob : blobs) {
      ++report_.blobs;
      report_.bytes += blob.size;
      if (blob.fault.empty()) {
        good_[blob.name] = blob.size;
        continue;
      }
      Problem& problem = tell("blob", printable(blob.name), blob.fault);
      if (repair_) {
        SBX_TRY(put_aside(blob.name));
        problem.action = fmt::format("moved to {}/{}", kDamaged, printable(blob.name));
      }
    }
    return {};
  }

  Result<void> put_aside(const std::string& name) {
    if (Result<void> made = sys::make_dir_at(store_.dir(), kDamaged, 0700);
        !made && made.error().code != ErrorCode::kAlreadyExists) {
      return made;
    }
    return sys::rename_at(store_.dir(), fmt::format("{}/{}", kBlobs, name), store_.dir(),
                          fmt::format("{}/{}", kDamaged, name));
  }

  [[nodiscard]] bool is_good(const oci::DigestBytes& digest) const {
    return good_.count(oci::digest_hex(digest)) != 0;
  }

  /// A small blob whose digest was right.
  Result<std::string> read_good(const oci::Digest& digest, std::size_t max,
                                const char* what) const {
    if (!is_good(digest.bytes())) {
      return fail(Error::make(ErrorCode::kCorrupt, "find", digest.str(),
                              fmt::format("its {} {} is missing or damaged", what, digest.str())));
    }
    return store_.read_blob(digest.bytes(), max);
  }

  Result<void> read_image(Image& image) const {
    const std::string text = SBX_TRY(read_good(image.manifest, oci::kMaxManifestBytes, "manifest"));
    const oci::Manifest manifest =
        SBX_TRY(oci::Manifest::parse(text, oci::MediaType::kOciManifest, image.manifest.str()));
    const std::string config_text =
        SBX_TRY(read_good(manifest.config.digest, kMaxStoredConfigBytes, "configuration"));
    const oci::ImageConfig config =
        SBX_TRY(oci::ImageConfig::parse(config_text, manifest.config.digest.str()));
    const auto fault = [&](std::string why) {
      return fail(
          Error::make(ErrorCode::kCorrupt, "check image", image.manifest.str(), std::move(why)));
    };
    if (config.diff_ids.size() != manifest.layers.size()) {
      return fault("manifest and configuration differ in the number of layers");
    }
    for (std::size_t i = 0; i < config.diff_ids.size(); ++i) {
      const oci::Descriptor& layer = manifest.layers[i];
      if (layer.digest.bytes() != config.diff_ids[i].bytes()) {
        return fault(fmt::format("layer {} is not the one of the configuration", i + 1));
      }
      const auto it = good_.find(layer.digest.hex());
      if (it == good_.end()) {
        return fault(fmt::format("its layer {} is missing or damaged", layer.digest.str()));
      }
      if (it->second != layer.size) {
        return fault(fmt::format("its layer {} has {} bytes, not {}", layer.digest.str(),
                                 it->second, layer.size));
      }
      image.sizes.push_back(layer.size);
    }
    image.layers = config.diff_ids;
    image.chain = oci::chain_id(image.layers);
    return {};
  }

  /// The annotations of all entries of this image.
  void read_annotations(const oci::Index& index, Image& image) {
    for (const oci::Descriptor& entry : index.manifests) {
      if (entry.digest != image.manifest) {
        continue;
      }
      const std::string_view name = entry_name(entry);
      if (!name.empty()) {
        image.names += (image.names.empty() ? "" : ", ") + printable(name);
      }
      const auto chain = entry.annotations.find(std::string(store::kChainIdAnnotation));
      image.wrong_chain |= chain == entry.annotations.end() || chain->second != image.chain.str();
      const auto source = entry.annotations.find(std::string(store::kSourceAnnotation));
      if (source != entry.annotations.end()) {
        const Result<oci::Digest> digest = oci::Digest::parse(source->second);
        image.lost_source |= !digest || !is_good(digest->bytes());
      }
    }
  }

  Result<void> check_images() {
    const oci::Index index = SBX_TRY(store_.read_index().context("checking the image store"));
    for (const oci::Digest& digest : distinct_manifests(index)) {
      Image image;
      image.manifest = digest;
      if (const Result<void> read = read_image(image); !read) {
        image.fault = read.error().reason.empty() ? read.error().message() : read.error().reason;
      }
      read_annotations(index, image);
      ++report_.images;
      tell_of(image);
      images_.push_back(std::move(image));
    }
    return {};
  }

  void tell_of(const Image& image) {
    const std::string subject = image.names.empty() ? image.manifest.str() : image.names;
    if (!image.fault.empty()) {
      tell("image", subject, image.fault).action =
          repair_ ? "taken out of the index; load or pull it again" : "";
      return;
    }
    if (image.wrong_chain) {
      tell("index", subject, "its chain id is not that of its layers").action =
          repair_ ? "written anew" : "";
    }
    if (image.lost_source) {
      tell("index", subject, "the manifest that it was loaded by is missing or damaged").action =
          repair_ ? "forgotten; the image is whole" : "";
    }
  }

  Result<void> check_trees(store::Staging& staging) {
    for (const Image& image : images_) {
      if (!image.fault.empty() || !trees_.insert(image.chain.hex() + ".tree").second) {
        continue;
      }
      ++report_.trees;
      const Result<void> fine = check_tree(image);
      if (fine) {
        continue;
      }
      Problem& problem = tell("tree", image.chain.str(), fine.error().reason);
      if (problem.text.empty()) {
        problem.text = fine.error().message();
      }
      if (!repair_) {
        continue;
      }
      const Result<void> made = make_tree(image, staging);
      problem.action = made ? "made anew from the layers" : "";
      problem.text += made ? "" : "; it cannot be made anew: " + made.error().message();
    }
    return {};
  }

  /// Of the trees of files that are run where they lie. The files are not the store's, and nobody promised that they stay.
  Result<void> check_squashed() {
    for (const store::SquashedFile& file : SBX_TRY(store::squashed_files(store_))) {
      ++report_.trees;
      const Result<void> fine = check_squashed_tree(file.key);
      if (fine) {
        continue;
      }
      Problem& problem =
          tell("tree", file.path,
               fine.error().reason.empty() ? fine.error().message() : fine.error().reason);
      if (repair_) {
        SBX_TRY(store::forget_squashed(store_, file.key));
        problem.action = "removed; the next run of the file makes it anew";
      }
    }
    return {};
  }

  [[nodiscard]] Result<void> check_squashed_tree(const oci::ChainId& key) const {
    const layer::ImageTree tree =
        SBX_TRY(layer::ImageTree::open(SBX_TRY(store_.open_tree(key)), key.hex()));
    SBX_TRY(tree.verify());
    return tree.chain_id() == key && tree.squash()
               ? Result<void>()
               : fail(Error::make(ErrorCode::kCorrupt, "check tree", key.hex(),
                                  "it belongs to another image"));
  }

  [[nodiscard]] Result<void> check_tree(const Image& image) const {
    const layer::ImageTree tree =
        SBX_TRY(layer::ImageTree::open(SBX_TRY(store_.open_tree(image.chain)), image.chain.str()));
    SBX_TRY(tree.verify());
    bool same = tree.chain_id() == image.chain && tree.layer_count() == image.layers.size();
    for (std::uint32_t i = 0; same && i < tree.layer_count(); ++i) {
      same = tree.layer(i) == image.layers[i];
    }
    return same ? Result<void>()
                : fail(Error::make(ErrorCode::kCorrupt, "check tree", image.chain.str(),
                                   "it belongs to other layers"));
  }

  Result<void> make_tree(const Image& image, store::Staging& staging) const {
    layer::TreeBudget budget(limits_);
    layer::MergedTree tree(budget);
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      const sys::Fd tar = SBX_TRY(store_.open_blob(image.layers[i].bytes()));
      layer::LayerIndex index(budget);
      SBX_TRY(layer::index_stored_layer(tar.get(), image.sizes[i], image.layers[i].str(), index));
      SBX_TRY(tree.apply(index, image.layers[i], image.sizes[i]));
    }
    const std::string name = image.chain.hex() + ".tree";
    const sys::Fd file = SBX_TRY(staging.create(name));
    SBX_TRY(tree.write(file.get(), image.chain, name));
    return staging.add_tree(file, name, image.chain);
  }

  /// With everybody else out for a moment: what is being loaded is needed by nobody yet.
  Result<void> find_garbage() {
    const std::optional<sys::FileLock> lock = SBX_TRY(store_.try_collect_lock());
    const Result<store::Needed> needed =
        lock ? store::needed_files(store_) : Result<store::Needed>(fail(Error()));
    if (!needed) {
      return {};  // in use, or an image that cannot be read, which has been told
    }
    for (const auto& [name, size] : good_) {
      if (needed->blobs.count(name) == 0) {
        tell("garbage", fmt::format("{}/{}", kBlobs, name), "no image needs it");
      }
    }
    for (const std::string& name : SBX_TRY(sys::list_dir(store_.dir(), "tree"))) {
      if (needed->trees.count(name) == 0) {
        tell("garbage", "tree/" + printable(name), "no image needs it");
      }
    }
    for (const std::string& name : SBX_TRY(sys::list_dir(store_.dir(), "staging"))) {
      tell("garbage", "staging/" + printable(name), "a killed process left it");
    }
    return {};
  }

  Result<void> mend_index() {
    const sys::FileLock lock = SBX_TRY(store_.index_lock());
    oci::Index index = SBX_TRY(store_.read_index());
    bool changed = false;
    for (const Image& image : images_) {
      if (!image.fault.empty()) {
        changed |= std::erase_if(index.manifests, [&](const oci::Descriptor& entry) {
                     return entry.digest == image.manifest;
                   }) != 0;
        continue;
      }
      for (oci::Descriptor& entry : index.manifests) {
        if (entry.digest != image.manifest || (!image.wrong_chain && !image.lost_source)) {
          continue;
        }
        entry.annotations[std::string(store::kChainIdAnnotation)] = image.chain.str();
        if (image.lost_source) {
          entry.annotations.erase(std::string(store::kSourceAnnotation));
        }
        changed = true;
      }
    }
    return changed ? store_.write_index(index) : Result<void>();
  }

  Result<void> collect() {
    const store::Collected collected = SBX_TRY(store::collect_garbage(store_));
    for (Problem& problem : report_.problems) {
      if (problem.kind == "garbage") {
        problem.action = collected.ran ? "removed" : "left: the store is in use";
      }
    }
    return {};
  }

  const store::Store& store_;
  bool repair_;
  layer::TreeLimits limits_;
  CheckReport report_;
  std::map<std::string, std::uint64_t> good_;  // blobs by name: size
  std::vector<Image> images_;
  std::set<std::string> trees_;  // names, of those that were looked at
};

}  // namespace

Result<CheckReport> check_store(const std::string& root, Repair repair,
                                const layer::TreeLimits& limits) {
  const store::Store store =
      SBX_TRY(store::Store::open(root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  return Checker(store, repair, limits).run();
}

}  // namespace sbx::image
