#include "registry/endpoint.hpp"

namespace sbx::registry {
namespace {

constexpr std::string_view kDockerHost = "registry-1.docker.io";

/// docker.io answers under several names, and only one of them serves images.
bool is_docker_hub(std::string_view name) {
  return name == "docker.io" || name == "index.docker.io" || name == kDockerHost;
}

}  // namespace

std::string registry_host(std::string_view domain) {
  return std::string(is_docker_hub(domain) ? kDockerHost : domain);
}

std::string registry_name(std::string_view host) {
  return std::string(is_docker_hub(host) ? "docker.io" : host);
}

std::string credential_key(std::string_view domain) {
  return std::string(is_docker_hub(domain) ? "https://index.docker.io/v1/" : domain);
}

}  // namespace sbx::registry
