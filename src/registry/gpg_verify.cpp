#include "registry/gpg_verify.hpp"

#include <fmt/format.h>
#include <gpgme.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "sys/file.hpp"
#include "sys/pipe_signal.hpp"

namespace sbx::registry {
namespace {

constexpr std::size_t kMaxPayload = std::size_t{64} << 10U;
/// OpenPGP packets begin with a byte whose first bit is set (RFC 4880, 4.2): neither armour nor a cleartext signature does.
constexpr unsigned char kPacketBit = 0x80;
/// Nothing is fetched, started or asked; the keys are trusted because the policy names them.
constexpr std::string_view kConfiguration =
    "no-auto-key-retrieve\nno-auto-key-import\nno-autostart\ntrust-model always\nbatch\nno-tty\n";

struct DataCloser {
  void operator()(gpgme_data_t data) const { ::gpgme_data_release(data); }
};
using Data = std::unique_ptr<std::remove_pointer_t<gpgme_data_t>, DataCloser>;

Unexpected<Error> refuse(ErrorCode code, std::string_view subject, std::string reason) {
  return fail(Error::make(code, "verify signature", subject, std::move(reason)));
}

std::string words(gpgme_error_t error) {
  std::string text(256, '\0');
  (void)::gpgme_strerror_r(error, text.data(), text.size());  // cut if it is longer
  text.resize(text.find('\0') == std::string::npos ? text.size() : text.find('\0'));
  return text;
}

Data data_from(std::string_view bytes) {
  gpgme_data_t data = nullptr;
  return ::gpgme_data_new_from_mem(&data, bytes.data(), bytes.size(), 1) == 0 ? Data(data) : Data();
}

/// Where gpg's output goes: a signed message may be compressed a thousandfold, so that it is cut off here.
struct Sink {
  std::string text;

  static ssize_t write(void* handle, const void* bytes, std::size_t size) noexcept {
    Sink& sink = *static_cast<Sink*>(handle);
    if (sink.text.size() + size > kMaxPayload) {
      errno = EFBIG;
      return -1;
    }
    sink.text.append(static_cast<const char*>(bytes), size);
    return static_cast<ssize_t>(size);
  }
};

}  // namespace

struct GpgVerifier::State {
  gpgme_ctx_t context = nullptr;
  std::string home;
  std::set<std::string> keys;  // fingerprints of primary keys

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    const sys::PipeSignalBlock block;
    if (context != nullptr) {
      ::gpgme_release(context);
    }
    if (!home.empty()) {
      (void)sys::remove_tree_at(AT_FDCWD, home);  // public keys only; a temporary folder is swept
    }
  }

  Result<void> open(const std::string& folder) {
    std::string pattern = folder + "/sbx-gnupg-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail(Error::system("make directory", pattern));
    }
    home = std::move(pattern);
    SBX_TRY(sys::write_file_at(AT_FDCWD, home + "/gpg.conf", kConfiguration, 0600,
                               sys::Durability::kCached));
    (void)::gpgme_check_version(nullptr);  // initialises the library
    if (const gpgme_error_t missing = ::gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
        missing != 0) {
      return fail(Error::make(ErrorCode::kUnsupported, "verify signature", "",
                              fmt::format("gpg does not work here ({})", words(missing)))
                      .with_hint("install gnupg"));
    }
    gpgme_error_t failed = ::gpgme_new(&context);
    if (failed == 0) {
      failed = ::gpgme_set_protocol(context, GPGME_PROTOCOL_OpenPGP);
    }
    if (failed == 0) {
      failed = ::gpgme_ctx_set_engine_info(context, GPGME_PROTOCOL_OpenPGP, nullptr, home.c_str());
    }
    return failed == 0 ? Result<void>() : refuse(ErrorCode::kSystem, "", words(failed));
  }

  Result<void> import(const std::string& keyring) {
    const Data data = data_from(keyring);
    const gpgme_error_t failed = ::gpgme_op_import(context, data.get());
    const gpgme_import_result_t result = ::gpgme_op_import_result(context);
    bool found = false;
    for (gpgme_import_status_t key = result == nullptr ? nullptr : result->imports; key != nullptr;
         key = key->next) {
      if (key->result == 0 && key->fpr != nullptr) {
        keys.insert(key->fpr);
        found = true;
      }
    }
    if (failed != 0 || !found) {
      return refuse(ErrorCode::kInvalidArgument, "",
                    fmt::format("the policy's keyring has no public key{}{}",
                                failed != 0 ? ": " : "", failed != 0 ? words(failed) : ""));
    }
    return {};
  }

  /// Whether the key, or the primary key it is a subkey of, is one of ours. Of our own keyring nobody can add another.
  [[nodiscard]] bool ours(const char* fingerprint) const {
    if (keys.contains(fingerprint)) {
      return true;
    }
    gpgme_key_t key = nullptr;
    if (::gpgme_get_key(context, fingerprint, &key, 0) != 0 || key == nullptr) {
      return false;
    }
    const bool known =
        key->subkeys != nullptr && key->subkeys->fpr != nullptr && keys.contains(key->subkeys->fpr);
    ::gpgme_key_unref(key);
    return known;
  }
};

GpgVerifier::GpgVerifier(std::unique_ptr<State> state) : state_(std::move(state)) {}
GpgVerifier::~GpgVerifier() = default;
GpgVerifier::GpgVerifier(GpgVerifier&&) noexcept = default;
GpgVerifier& GpgVerifier::operator=(GpgVerifier&&) noexcept = default;

Result<GpgVerifier> GpgVerifier::make(const std::vector<std::string>& keyrings,
                                      const std::string& folder) {
  const sys::PipeSignalBlock block;
  auto state = std::make_unique<State>();
  SBX_TRY(state->open(folder));
  for (const std::string& keyring : keyrings) {
    SBX_TRY(state->import(keyring));
  }
  return GpgVerifier(std::move(state));
}

Result<std::string> GpgVerifier::verify(std::string_view message) const {
  if (message.empty() || (static_cast<unsigned char>(message.front()) & kPacketBit) == 0) {
    return refuse(ErrorCode::kDenied, "", "it is not a binary OpenPGP message");
  }
  const sys::PipeSignalBlock block;
  Sink sink;
  gpgme_data_cbs callbacks{};
  callbacks.write = &Sink::write;
  gpgme_data_t raw = nullptr;
  if (::gpgme_data_new_from_cbs(&raw, &callbacks, &sink) != 0) {
    return refuse(ErrorCode::kSystem, "", "out of memory");
  }
  const Data plain(raw);
  const Data signed_data = data_from(message);
  if (const gpgme_error_t failed =
          ::gpgme_op_verify(state_->context, signed_data.get(), nullptr, plain.get());
      failed != 0) {
    return refuse(ErrorCode::kDenied, "", fmt::format("gpg: {}", words(failed)));
  }
  const gpgme_verify_result_t result = ::gpgme_op_verify_result(state_->context);
  const gpgme_signature_t signature = result == nullptr ? nullptr : result->signatures;
  if (signature == nullptr || signature->next != nullptr) {
    return refuse(ErrorCode::kDenied, "", "it has not exactly one signature");
  }
  if (signature->status != 0 || signature->wrong_key_usage != 0 ||
      signature->validity == GPGME_VALIDITY_NEVER || signature->validity_reason != 0) {
    return refuse(ErrorCode::kDenied, "",
                  signature->status != 0 ? fmt::format("gpg: {}", words(signature->status))
                                         : std::string("its key must not be used for it"));
  }
  if (signature->fpr == nullptr || !state_->ours(signature->fpr)) {
    return refuse(ErrorCode::kDenied, "", "it was made by a key that the policy does not name");
  }
  return std::move(sink.text);
}

}  // namespace sbx::registry
