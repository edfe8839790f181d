#include "base/sha256.hpp"

#include <openssl/evp.h>

#include "base/assert.hpp"

namespace sbx {

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();

  Context() { reset(); }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void reset() {
    // Fails only without memory or with a crippled libcrypto: nothing sensible can follow.
    SBX_ASSERT(md != nullptr && EVP_DigestInit_ex(md, EVP_sha256(), nullptr) == 1);
  }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> data) {
  SBX_ASSERT(EVP_DigestUpdate(context_->md, data.data(), data.size()) == 1);
}

Sha256::Bytes Sha256::finish() {
  Bytes out{};
  unsigned size = 0;
  SBX_ASSERT(EVP_DigestFinal_ex(context_->md, out.data(), &size) == 1 && size == out.size());
  context_->reset();
  return out;
}

std::string Sha256::finish_hex() {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(64);
  for (const std::uint8_t byte : finish()) {
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

}  // namespace sbx
