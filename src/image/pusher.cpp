#include "image/pusher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/log.hpp"
#include "image/image_store.hpp"
#include "image/index_entry.hpp"
#include "image/layer_forms.hpp"
#include "image/layer_packer.hpp"
#include "oci/manifest.hpp"
#include "store/gc.hpp"
#include "store/staging.hpp"
#include "sys/file.hpp"

namespace sbx::image {
namespace {

constexpr std::size_t kMountTries = 3;  // per layer; each is a request that may be in vain

layer::Compression compression_of(const oci::Descriptor& layer) {
  switch (oci::layer_compression(layer.media_type).value_or(oci::LayerCompression::kGzip)) {
    case oci::LayerCompression::kNone:
      return layer::Compression::kNone;
    case oci::LayerCompression::kZstd:
      return layer::Compression::kZstd;
    case oci::LayerCompression::kGzip:
      break;
  }
  return layer::Compression::kGzip;
}

registry::BodyReader reader_of(int fd, std::function<void(std::uint64_t)> told) {
  return [fd, told = std::move(told)](std::uint64_t offset,
                                      std::span<std::byte> data) -> Result<std::size_t> {
    const std::size_t got = SBX_TRY(sys::pread_full(fd, data, offset, "a layer"));
    told(offset + got);
    return got;
  };
}

/// What became of a layer.
struct SentLayer {
  oci::Descriptor descriptor;  // as the registry has it
  enum class How { kThere, kMounted, kSent } how = How::kThere;
};

/// What all threads of one push look at.
struct Context {
  const PushRequest& request;
  const FoundImage& found;
  const std::optional<CameManifest>& came;
  const LayerForms& forms;
  const registry::ClientOptions& client;
  store::Staging& staging;
  std::mutex& staging_mutex;
};

/// One thread's part: layer after layer, by one connection.
class LayerSender {
 public:
  LayerSender(const Context& context, registry::Client client)
      : context_(context), client_(std::move(client)) {}

  Result<SentLayer> send(std::size_t layer) {
    const std::vector<store::LayerForm> forms = wanted_forms(layer);
    std::set<std::string> asked;  // one form may be known from several repositories
    for (const store::LayerForm& form : forms) {
      if (asked.insert(form.descriptor.digest.str()).second &&
          SBX_TRY(client_.has_blob(form.descriptor.digest, form.descriptor.size))) {
        return finished(layer, {form.descriptor, SentLayer::How::kThere});
      }
    }
    if (const std::optional<oci::Descriptor> mounted = SBX_TRY(mount_one(forms))) {
      return finished(layer, {*mounted, SentLayer::How::kMounted});
    }
    return upload(layer);
  }

 private:
  /// The form that came with the image first: it keeps the manifest as it is.
  [[nodiscard]] std::vector<store::LayerForm> wanted_forms(std::size_t layer) const {
    std::vector<store::LayerForm> out;
    const auto add = [&](const store::LayerForm& form) {
      if (suits(layer, compression_of(form.descriptor))) {
        out.push_back(form);
      }
    };
    if (context_.came) {
      add({context_.came->manifest.layers[layer], "", ""});
    }
    const auto known = context_.forms.find(diff_id(layer));
    for (const store::LayerForm& form :
         known == context_.forms.end() ? std::vector<store::LayerForm>() : known->second) {
      const bool again = std::any_of(out.begin(), out.end(), [&](const store::LayerForm& other) {
        return other.descriptor.digest == form.descriptor.digest &&
               other.repository == form.repository;
      });
      if (!again) {
        add(form);
      }
    }
    return out;
  }

  [[nodiscard]] bool suits(std::size_t layer, layer::Compression kind) const {
    const PushRequest& request = context_.request;
    if (request.compression) {
      return kind == *request.compression;
    }
    // What somebody once pushed plain, on purpose, is not what everybody wants.
    return kind == compression_for(layer) ||
           kind == (request.docker_manifest.value_or(false) ? layer::Compression::kGzip
                                                            : layer::Compression::kZstd);
  }

  Result<std::optional<oci::Descriptor>> mount_one(const std::vector<store::LayerForm>& forms) {
    const oci::Reference& to = context_.request.destination;
    std::size_t tries = 0;
    for (const store::LayerForm& form : forms) {
      if (form.domain != to.domain() || form.repository == to.path() || ++tries > kMountTries) {
        continue;
      }
      if (SBX_TRY(client_.mount_blob(form.descriptor.digest, form.repository))) {
        return std::optional(form.descriptor);
      }
    }
    return std::optional<oci::Descriptor>();
  }

  [[nodiscard]] layer::Compression compression_for(std::size_t layer) const {
    if (context_.request.compression) {
      return *context_.request.compression;
    }
    return context_.came ? compression_of(context_.came->manifest.layers[layer])
                         : layer::Compression::kGzip;
  }

  Result<SentLayer> upload(std::size_t layer) {
    const sys::Fd& tar = context_.found.layers[layer];
    const std::uint64_t tar_size = context_.found.image.layer_sizes[layer];
    const layer::Compression kind = compression_for(layer);
    sys::Fd packed;
    oci::Descriptor out;
    if (kind == layer::Compression::kNone) {
      out.digest = oci::Digest(diff_id(layer).bytes());
      out.size = tar_size;
      out.media_type = oci::kOciLayerType;
    } else {
      {
        const std::lock_guard lock(context_.staging_mutex);
        packed = SBX_TRY(context_.staging.create_unnamed());
      }
      out = SBX_TRY(pack_layer({tar.get(), tar_size, diff_id(layer)}, kind, packed.get()));
    }
    if (context_.came && context_.came->manifest.layers[layer].digest == out.digest) {
      out = context_.came->manifest.layers[layer];  // made again as it was, with all its words
    }
    if (packed && SBX_TRY(client_.has_blob(out.digest, out.size))) {
      return finished(layer, {out, SentLayer::How::kThere});
    }
    const int from = packed ? packed.get() : tar.get();
    SBX_TRY(client_.upload_blob(out.digest, out.size, reader_of(from, [&](std::uint64_t done) {
                                  report(layer, done, out.size);
                                })));
    return finished(layer, {out, SentLayer::How::kSent});
  }

  SentLayer finished(std::size_t layer, SentLayer sent) const {
    report(layer, sent.descriptor.size, sent.descriptor.size);
    return sent;
  }

  void report(std::size_t layer, std::uint64_t done, std::uint64_t total) const {
    if (context_.request.progress) {
      context_.request.progress({layer, context_.found.layers.size(), done, total});
    }
  }

  [[nodiscard]] const oci::DiffId& diff_id(std::size_t layer) const {
    return context_.found.image.config.diff_ids[layer];
  }

  const Context& context_;
  registry::Client client_;
};

/// All layers, several at once.
class LayerPush {
 public:
  explicit LayerPush(const Context& context, std::atomic<bool>& stop)
      : context_(context), stop_(stop), sent_(context.found.layers.size()) {}

  Result<std::vector<SentLayer>> run() {
    const std::size_t count = std::min<std::size_t>(context_.request.jobs, sent_.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
      threads.emplace_back([this] { work(); });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    if (failure_) {
      return fail(std::move(*failure_));
    }
    repeat();
    return std::move(sent_);
  }

 private:
  void work() {
    Result<void> done = [&]() -> Result<void> {
      LayerSender sender(
          context_, SBX_TRY(registry::Client::make(context_.request.endpoint, context_.client)));
      for (std::size_t layer = next_++; layer < sent_.size() && !stop_; layer = next_++) {
        if (first_of(layer) == layer) {
          sent_[layer] = SBX_TRY(sender.send(layer).context(
              fmt::format("pushing layer {} of {}", layer + 1, sent_.size())));
        }
      }
      return {};
    }();
    if (!done) {
      const std::lock_guard lock(mutex_);
      if (!failure_) {
        failure_ = std::move(done).error();
      }
      stop_ = true;
    }
  }

  /// A layer may stand in an image several times (empty ones do).
  [[nodiscard]] std::size_t first_of(std::size_t layer) const {
    const auto& ids = context_.found.image.config.diff_ids;
    return static_cast<std::size_t>(std::find(ids.begin(), ids.end(), ids[layer]) - ids.begin());
  }

  void repeat() {
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      if (first_of(i) != i) {
        sent_[i] = {sent_[first_of(i)].descriptor, SentLayer::How::kThere};
      }
    }
  }

  const Context& context_;
  std::atomic<bool>& stop_;
  std::atomic<std::size_t> next_ = 0;
  std::vector<SentLayer> sent_;  // each element is one thread's
  std::mutex mutex_;             // guards failure_
  std::optional<Error> failure_;
};

/// The manifest that came with the image under the name by which it was found, else under any.
std::optional<oci::Digest> source_for(const FoundImage& found) {
  const auto it = found.image.sources.find(found.asked);
  return it == found.image.sources.end() ? found.image.source : std::optional(it->second);
}

struct WrittenManifest {
  std::string text;
  std::string type;
  bool came = false;  // it is the one that came
};

bool is_docker(oci::MediaType type) { return type == oci::MediaType::kDockerManifest; }

Result<WrittenManifest> manifest_for(const PushRequest& request, const FoundImage& found,
                                     const std::optional<CameManifest>& came,
                                     const std::vector<SentLayer>& sent) {
  const bool zstd = std::any_of(sent.begin(), sent.end(), [](const SentLayer& layer) {
    return compression_of(layer.descriptor) == layer::Compression::kZstd;
  });
  const bool docker = request.docker_manifest.value_or(came && is_docker(came->type) && !zstd);
  const auto as_it_came = [&](std::size_t i) {
    return came->manifest.layers[i].digest == sent[i].descriptor.digest;
  };
  bool whole = came && docker == is_docker(came->type);
  for (std::size_t i = 0; whole && i < sent.size(); ++i) {
    whole = as_it_came(i);
  }
  if (whole) {
    return WrittenManifest{
        came->text, std::string(docker ? oci::kDockerManifestType : oci::kOciManifestType), true};
  }
  oci::Manifest manifest;
  manifest.config.digest = found.image.config_digest;
  manifest.config.size = found.config.size();
  manifest.annotations = came ? came->manifest.annotations : oci::Annotations();
  for (const SentLayer& layer : sent) {
    manifest.layers.push_back(layer.descriptor);
  }
  WrittenManifest out;
  out.text = SBX_TRY(docker ? manifest.serialise_docker() : manifest.serialise());
  out.type = docker ? oci::kDockerManifestType : oci::kOciManifestType;
  return out;
}

/// The next push of this name finds these forms; `inspect` shows the digest. Of images in other stores nothing is noted.
Result<void> note_pushed(const store::Store& store, store::Staging& staging,
                         const FoundImage& found, const oci::Reference& name,
                         const oci::Digest& digest, const std::string& manifest) {
  const sys::FileLock lock = SBX_TRY(store.index_lock());
  oci::Index index = SBX_TRY(store.read_index());
  bool changed = false;
  for (oci::Descriptor& entry : index.manifests) {
    if (entry.digest != found.image.manifest) {
      continue;
    }
    std::string& source = entry.annotations[std::string(store::kSourceAnnotation)];
    if (source.empty() || entry_name(entry) == name.tagged()) {
      changed = changed || source != digest.str();
      source = digest.str();
    }
  }
  if (!changed) {
    return {};
  }
  SBX_TRY(staging.add_blob(manifest, digest.bytes()));
  SBX_TRY(staging.publish());
  return store.write_index(index);
}

/// Hints for the next push; one that cannot be written costs nothing but time.
void note_forms(const store::Store& store, const FoundImage& found, const oci::Reference& name,
                const std::vector<SentLayer>& sent) {
  for (std::size_t i = 0; i < sent.size(); ++i) {
    const store::LayerForm form{sent[i].descriptor, name.domain(), name.path()};
    if (const Result<void> noted = store::note_form(store, found.image.config.diff_ids[i], form);
        !noted) {
      log::debug("{}", noted.error().message());
    }
  }
}

PushedImage summary(const std::vector<SentLayer>& sent) {
  PushedImage out;
  for (const SentLayer& layer : sent) {
    switch (layer.how) {
      case SentLayer::How::kThere:
        ++out.layers_there;
        break;
      case SentLayer::How::kMounted:
        ++out.layers_mounted;
        break;
      case SentLayer::How::kSent:
        ++out.layers_sent;
        out.bytes_sent += layer.descriptor.size;
        break;
    }
    out.size += layer.descriptor.size;
  }
  return out;
}

}  // namespace

Result<PushedImage> push_image(const PushRequest& request) {
  if (request.docker_manifest.value_or(false) && request.compression == layer::Compression::kZstd) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "push", request.destination.familiar(),
                            "docker's schema 2 has no layers compressed with zstd"));
  }
  const store::Store store =
      SBX_TRY(store::Store::open(request.root + "/store", store::Store::Access::kWrite));
  SBX_TRY(store::clean_leftovers(store));
  store::Staging staging = SBX_TRY(store::Staging::open(store));
  const ImageStore images = SBX_TRY(ImageStore::open(request.root, request.additional));
  const FoundImage found = SBX_TRY(images.find_blobs(request.image));
  const std::optional<oci::Digest> source = source_for(found);
  const std::optional<CameManifest> came =
      source ? came_manifest(store, found.image, *source) : std::nullopt;
  const LayerForms forms = SBX_TRY(known_forms(store, images, found.image.config.diff_ids));

  std::atomic<bool> stop = false;
  registry::ClientOptions options = request.client;
  options.stop = [&stop, outer = request.client.stop] { return stop || (outer && outer()); };
  std::mutex staging_mutex;
  const Context context{request, found, came, forms, options, staging, staging_mutex};
  const std::vector<SentLayer> sent = SBX_TRY(LayerPush(context, stop).run());

  registry::Client client = SBX_TRY(registry::Client::make(request.endpoint, options));
  const oci::Digest& config = found.image.config_digest;
  if (!SBX_TRY(client.has_blob(config, found.config.size()))) {
    SBX_TRY(client.upload_blob(config, found.config));
  }
  const WrittenManifest manifest = SBX_TRY(manifest_for(request, found, came, sent));
  PushedImage out = summary(sent);
  out.manifest =
      SBX_TRY(client.put_manifest(request.destination.tag(), manifest.text, manifest.type));
  if (!manifest.came && came) {
    out.source = source;
  }
  note_forms(store, found, request.destination, sent);
  SBX_TRY(note_pushed(store, staging, found, request.destination, out.manifest, manifest.text)
              .context("noting what was pushed"));
  return out;
}

}  // namespace sbx::image
