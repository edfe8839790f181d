#include "image/saver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "base/json.hpp"
#include "base/sha256.hpp"
#include "image/layer_packer.hpp"
#include "image/save_output.hpp"
#include "image/squash_saver.hpp"
#include "layer/byte_source.hpp"
#include "oci/index.hpp"
#include "oci/manifest.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

std::string blob_path(const oci::Digest& digest) { return "blobs/sha256/" + digest.hex(); }

oci::Digest digest_of(std::string_view text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return oci::Digest(hash.finish());
}

/// One save: what several images share is written once.
class Saver {
 public:
  Saver(const SaveRequest& request, store::Staging& staging, SaveOutput& output)
      : request_(request), staging_(staging), output_(output) {}

  Result<void> run(const std::vector<FoundImage>& images) {
    if (request_.format == SaveFormat::kDockerArchive) {
      for (const FoundImage& image : images) {
        SBX_TRY(add_docker_image(image));
      }
      SBX_TRY(output_.add("manifest.json", docker_manifest()));
      return output_.finish();
    }
    SBX_TRY(output_.add("oci-layout", dump_json({{"imageLayoutVersion", "1.0.0"}})));
    for (const FoundImage& image : images) {
      SBX_TRY(add_oci_image(image));
    }
    SBX_TRY(output_.add("index.json", index_.serialise()));
    return output_.finish();
  }

 private:
  Result<void> add_once(const std::string& path, std::string_view data) {
    return written_.insert(path).second ? output_.add(path, data) : Result<void>();
  }

  /// As it lies in the store.
  Result<void> copy_layer(const FoundImage& image, std::size_t i, const std::string& path) {
    if (!written_.insert(path).second) {
      return {};
    }
    SBX_TRY(output_.begin(path, image.image.layer_sizes[i]));
    return read_layer(stored(image, i),
                      [this](std::span<const std::byte> data) { return output_.write(data); });
  }

  static StoredLayer stored(const FoundImage& image, std::size_t i) {
    return {image.layers[i].get(), image.image.layer_sizes[i], image.image.config.diff_ids[i]};
  }

  /// Its compressed size must be known before the first byte goes out: by way of a file without a name.
  Result<oci::Descriptor> compress_layer(const FoundImage& image, std::size_t i) {
    const oci::DiffId& diff_id = image.image.config.diff_ids[i];
    if (const auto it = compressed_.find(diff_id); it != compressed_.end()) {
      return it->second;
    }
    const sys::Fd file = SBX_TRY(staging_.create_unnamed());
    const oci::Descriptor out =
        SBX_TRY(pack_layer(stored(image, i), request_.compression, file.get()));
    SBX_TRY(output_.begin(blob_path(out.digest), out.size));
    SBX_TRY(copy(file.get(), out.size));
    compressed_.emplace(diff_id, out);
    return out;
  }

  /// The manifest that goes with the layers as they are written.
  Result<std::string> write_layers(const FoundImage& image) {
    if (request_.compression == layer::Compression::kNone) {
      for (std::size_t i = 0; i < image.layers.size(); ++i) {
        SBX_TRY(
            copy_layer(image, i, blob_path(oci::Digest(image.image.config.diff_ids[i].bytes()))));
      }
      return image.manifest;
    }
    oci::Manifest manifest = SBX_TRY(oci::Manifest::parse(
        image.manifest, oci::MediaType::kOciManifest, image.image.manifest.str()));
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      manifest.layers[i] = SBX_TRY(compress_layer(image, i));
    }
    return manifest.serialise();
  }

  Result<void> add_oci_image(const FoundImage& image) {
    const std::string manifest = SBX_TRY(write_layers(image));
    SBX_TRY(add_once(blob_path(image.image.config_digest), image.config));
    oci::Descriptor entry;
    entry.media_type = oci::kOciManifestType;
    entry.digest = digest_of(manifest);
    entry.size = manifest.size();
    entry.platform = image.image.config.platform;
    SBX_TRY(add_once(blob_path(entry.digest), manifest));
    if (!image.asked.empty()) {
      // The full name twice: skopeo, podman and umoci read the first, docker and containerd the second.
      entry.annotations[std::string(oci::kRefNameAnnotation)] = image.asked;
      entry.annotations[std::string(oci::kContainerdNameAnnotation)] = image.asked;
    }
    const auto same = [&](const oci::Descriptor& other) {
      return other.digest == entry.digest && other.annotations == entry.annotations;
    };
    if (std::none_of(index_.manifests.begin(), index_.manifests.end(), same)) {
      index_.manifests.push_back(std::move(entry));
    }
    return {};
  }

  Result<void> copy(int file, std::uint64_t size) {
    layer::FileSource source(file, 0, size, "a compressed layer");
    std::vector<std::byte> buffer(256U << 10U);
    while (const std::size_t got = SBX_TRY(source.read(buffer))) {
      SBX_TRY(output_.write(std::span(buffer).first(got)));
    }
    return {};
  }

  struct DockerImage {
    std::string config;
    std::vector<std::string> names;
    std::vector<std::string> layers;
  };

  Result<void> add_docker_image(const FoundImage& image) {
    DockerImage entry{image.image.config_digest.hex() + ".json", {}, {}};
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
      entry.layers.push_back(image.image.config.diff_ids[i].hex() + ".tar");
      SBX_TRY(copy_layer(image, i, entry.layers.back()));
    }
    SBX_TRY(add_once(entry.config, image.config));
    auto it = std::find_if(docker_.begin(), docker_.end(),
                           [&](const DockerImage& other) { return other.config == entry.config; });
    if (it == docker_.end()) {
      it = docker_.insert(docker_.end(), std::move(entry));
    }
    if (!image.asked.empty() &&
        std::find(it->names.begin(), it->names.end(), image.asked) == it->names.end()) {
      it->names.push_back(image.asked);
    }
    return {};
  }

  [[nodiscard]] std::string docker_manifest() const {
    Json out = Json::array();
    for (const DockerImage& image : docker_) {
      out.push_back(
          {{"Config", image.config}, {"RepoTags", image.names}, {"Layers", image.layers}});
    }
    return dump_json(out);
  }

  const SaveRequest& request_;
  store::Staging& staging_;
  SaveOutput& output_;
  std::set<std::string> written_;  // paths
  std::map<oci::DiffId, oci::Descriptor> compressed_;
  oci::Index index_;
  std::vector<DockerImage> docker_;
};

Result<std::unique_ptr<SaveOutput>> open_output(const SaveRequest& request) {
  return request.format == SaveFormat::kOciDirectory
             ? directory_output(request.output)
             : archive_output(request.output, request.output_name,
                              request.format == SaveFormat::kOciArchive);
}

}  // namespace

Result<void> save_images(const SaveRequest& request) {
  if (request.format == SaveFormat::kSquashfs) {
    return save_squash(request).context(
        fmt::format("saving to '{}'", printable(request.output_name)));
  }
  if (request.format == SaveFormat::kDockerArchive &&
      request.compression != layer::Compression::kNone) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "save images", "",
                            "the layers of a docker archive are not compressed")
                    .with_hint("compress the archive as a whole, or write an oci-archive"));
  }
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  const ImageStore images = SBX_TRY(ImageStore::open(request.root, request.additional));
  std::vector<FoundImage> found;  // all of them before the first byte is written
  for (const std::string& name : request.images) {
    found.push_back(SBX_TRY(images.find_blobs(name)));
  }
  const std::unique_ptr<SaveOutput> output = SBX_TRY(open_output(request));
  return Saver(request, staging, *output)
      .run(found)
      .context(fmt::format("saving to '{}'", printable(request.output_name)));
}

}  // namespace sbx::image
