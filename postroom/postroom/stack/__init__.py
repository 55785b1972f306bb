"""The whole of Postroom on one machine: embedded servers, the sandbox, and one supervised process per service."""
