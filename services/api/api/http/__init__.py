"""The HTTP side of the API, the same for every resource: who calls, how it is answered, what is repeated safely."""
